"""How long `import layerkit` takes beside `import numpy`: `python benchmarks/import_time.py`.

Whole processes in turn, medians of many runs, less the time of a process that imports nothing;
compiled files are written first, as an installation does.
"""

import os
import statistics
import subprocess
import sys
import time

RUNS = 30
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
STATEMENTS = {"nothing": "pass", "numpy": "import numpy", "layerkit": "import layerkit"}


def seconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for statement in STATEMENTS.values():
        seconds(statement)
    for _ in range(RUNS):
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    median = {name: statistics.median(values) for name, values in times.items()}
    numpy, layerkit = (median[name] - median["nothing"] for name in ("numpy", "layerkit"))
    print(f"import numpy    {numpy * 1000:6.1f} ms")
    print(f"import layerkit {layerkit * 1000:6.1f} ms, {layerkit / numpy:.2f} times as long")


if __name__ == "__main__":
    main()
