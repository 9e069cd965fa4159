"""What was measured, as Markdown tables and as a picture."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .frameworks import FRAMEWORKS, OURS, PEERS
from .workloads import WORKLOADS

Cells = dict[str, "float | str"]  # by framework: a number, or why there is none


def conditions(results: dict) -> Iterator[str]:
    """Lines that say on what, and with what, it was measured."""
    machine, settings = results["machine"], results["settings"]
    yield f"{machine['cpu']}, {machine['cores']} cores; {machine['system']}"
    own = machine["frameworks"].get("layerkit", {})
    for library in own.get("libraries", ()):
        yield "layerkit's process: " + ", ".join(f"{k} {v}" for k, v in library.items())
    if "threads" in own:
        yield f"layerkit's own pool: {own['threads']} threads"
    for name, about in machine["frameworks"].items():
        versions = about.get("versions", {})
        said = ", ".join(f"{k} {v}" for k, v in versions.items()) or about.get("error", "unknown")
        yield f"{FRAMEWORKS[name].title}: {said}"
    if machine["removed"]:
        yield f"taken out of the environment: {', '.join(machine['removed'])}"
    for name, why in results["left out"].items():
        yield f"left out, could not be installed: {FRAMEWORKS[name].title}: {why}"
    yield f"medians of {settings['epochs']} epochs in turn, of {settings['rounds']} whole processes"


def tables(results: dict) -> str:
    """All of it, to be read or pasted."""
    parts, machine = results["parts"], results["machine"]
    names = list(machine["frameworks"])
    work = {name: parts[name] for name in WORKLOADS if name in parts}
    text = ["\n".join(f"- {line}" for line in conditions(results))]
    if work:
        text += ["Training, samples a second:", speeds(work, names, "fit", "samples/s")]
        text += ["Prediction, rows a second:", speeds(work, names, "predict", "rows/s")]
    text += ["What comes on top (less is better):", costs(parts, machine, names)]
    text += ["\n".join(f"- {line}" for line in failures(parts))]
    return "\n\n".join(filter(None, text)) + "\n"


def speeds(work: dict[str, dict], names: list[str], question: str, unit: str) -> str:
    """Workloads by frameworks, with layerkit's ratio to the best peer and geometric means."""
    rows = {name: cells(part, names, question, unit) for name, part in work.items()}
    table = [
        [
            f"{name} ({WORKLOADS[name].batch_size})",
            *map(shown, row.values()),
            *(times(best(row, max, own)) for own in ours(names)),
        ]
        for name, row in rows.items()
    ]
    for own in ours(names):
        means = [mean(ratio(row, name, own) for row in rows.values()) for name in names]
        against = [mean(best(row, max, o) for row in rows.values()) for o in ours(names)]
        against = [m if o == own else None for o, m in zip(ours(names), against, strict=True)]
        label = f"{FRAMEWORKS[own].title} / this one, geometric mean"
        table.append([label, *map(times, means), *map(times, against)])
    return markdown(["workload (batch)", *titles(names), *against_peers(names)], table)


def ours(names: list[str]) -> list[str]:
    return [name for name in names if name in OURS]


def against_peers(names: list[str]) -> list[str]:
    return [f"{FRAMEWORKS[name].title} / best peer" for name in ours(names)]


COSTS = [  # label, part, question, unit
    ("import, ms", "imports", "ms", ""),
    ("import, most memory, MB", "imports", "MB", ""),
    ("installed with all it needs, MB", "installed", "installed MB", ""),
    ("Python's start to the end of a first epoch of the MLP, s", "starts", "seconds", ""),
    ("most memory of that, MB", "starts", "MB", ""),
    ("`predict` of one digit, MLP, microseconds", "single", "predict", "us"),
    ("`model(x)` of the same, microseconds", "single", "call", "us"),
    ("memory gained in calls of `predict`, MB", "single", "growth", "MB"),
    ("number of those calls", "single", "growth", "calls"),
]


def costs(parts: dict[str, dict], machine: dict, names: list[str]) -> str:
    parts, columns = parts | {"installed": machine["frameworks"]}, ["numpy", *names]
    table = []
    for label, part, question, unit in COSTS:
        if part in parts:
            row = cells(parts[part], columns, question, unit)
            compared = [
                "" if question == "growth" else times(best(row, min, own)) for own in ours(names)
            ]
            table.append([label, *map(shown, row.values()), *compared])
    return markdown(["", "numpy", *titles(names), *against_peers(names)], table)


def failures(parts: dict[str, dict]) -> Iterator[str]:
    for part, entries in parts.items():
        for name, entry in entries.items():
            for kind in entry.keys() & {"error", "missing"}:
                title = FRAMEWORKS[name].title if name in FRAMEWORKS else name
                yield f"{part}, {title}: {entry[kind]}"


def cells(part: dict[str, dict], names: list[str], question: str, unit: str) -> Cells:
    return {name: cell(part.get(name, {}), question, unit) for name in names}


def cell(entry: dict[str, Any], question: str, unit: str) -> float | str:
    """The median of the answers; a word where there are none."""
    if question not in entry:
        return next((word for key, word in WORDS.items() if key in entry), "")
    answers = entry[question] if isinstance(entry[question], list) else [entry[question]]
    if unit:
        answers = [answer[unit] for answer in answers if unit in answer]
    return statistics.median(answers) if answers else "unknown"


WORDS = {"error": "failed", "missing": "missing"}


def shown(value: float | str | None) -> str:
    if not isinstance(value, float | int):
        return value or ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def ratio(row: Cells, name: str, own: str = "layerkit") -> float | None:
    """The number of `own`, a layerkit, by that of `name`."""
    number, theirs = row.get(own), row[name]
    if isinstance(number, str) or isinstance(theirs, str) or number is None or not theirs:
        return None
    return number / theirs


def best(row: Cells, chosen: Callable, own: str = "layerkit") -> float | None:
    """The number of `own`, a layerkit, by the largest or smallest one of its peers."""
    numbers = {n: v for n, v in row.items() if n in PEERS and not isinstance(v, str)}
    return ratio(row, chosen(numbers, key=numbers.__getitem__), own) if numbers else None


def mean(ratios: Iterable[float | None]) -> float | None:
    """The geometric one of those that there are."""
    there = [r for r in ratios if r is not None]
    return statistics.geometric_mean(there) if there else None


def titles(names: list[str]) -> list[str]:
    return [FRAMEWORKS[name].title for name in names]


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw(results: dict, path: Path) -> str:
    """Training speed beside the fastest one's, as bars; says what it did."""
    work = {name: results["parts"][name] for name in WORKLOADS if name in results["parts"]}
    names = list(results["machine"]["frameworks"])
    if not work:
        return "no picture: no workload was measured"
    try:
        import matplotlib
    except ImportError:
        return 'no picture: matplotlib is not installed (pip install "layerkit[plot]")'
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "layerkit"  # the same numbers give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    width = 0.8 / len(names)
    rows = [cells(part, names, "fit", "samples/s") for part in work.values()]
    for index, name in enumerate(names):
        left = [place + (index - (len(names) - 1) / 2) * width for place in range(len(rows))]
        axes.bar(left, [share(row, name) for row in rows], width, label=FRAMEWORKS[name].title)
    axes.set_xticks(range(len(work)), [f"{n} ({WORKLOADS[n].batch_size})" for n in work])
    axes.set_ylabel("training speed, fastest = 1")
    axes.legend(ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return f"written: {path}"


def share(row: Cells, name: str) -> float:
    """The number of `name` by the largest one; 0 where there is none."""
    numbers = [value for value in row.values() if not isinstance(value, str)]
    value = row[name]
    return 0.0 if isinstance(value, str) else value / max(numbers)
