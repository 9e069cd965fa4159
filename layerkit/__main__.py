"""python -m layerkit script.py [arguments]: run a Keras script on layerkit, as it is.

`inspect` and `convert` in the script's place look into files and turn one format into another.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

from .compat import install_as_keras

USAGE = """usage: python -m layerkit script.py [arguments]
       python -m layerkit inspect FILE [--custom module.py]
       python -m layerkit convert IN OUT [--custom module.py] [--architecture FILE]
                                  [--max-shard-size GIGABYTES] [--weights-only]

Runs a Keras script on layerkit: `import keras` and `import tensorflow.keras` give layerkit, and the
names and arguments of Keras 1 and 2 are understood.

inspect says what a file is, which layers, weights and training state it holds, and whether it would
load; if not, why. Status 0 if it would, 1 if not.

convert writes the model or the weights of IN as OUT, by its ending: .keras, .h5, .weights.h5,
.weights.json (in parts), .npz (weights by name), .json (architecture), / (a folder with what is in
a .keras file). It loads what it wrote and tells how far outputs and weights differ. Status 0 if
they agree, 1 if not.

--custom names a Python file with the model's own classes and functions, or with a dict of them that
is called custom_objects: it is run.
--architecture names the file of the model, where IN holds weights only.
--weights-only writes OUT.h5 without the model, as Keras 2 saved weights.
A script that is called inspect or convert, without .py, is run by its path: ./inspect"""


def main(arguments: list[str]) -> int:
    """Run the command or the script with its arguments; 2 where there is none."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    if arguments[0] in _COMMANDS:
        return _COMMANDS[arguments[0]](arguments[1:])
    script = Path(arguments[0])
    if not script.is_file():
        print(f"layerkit: there is no script {script}\n\n{USAGE}", file=sys.stderr)
        return 2
    install_as_keras()
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _inspect(arguments: list[str]) -> int:
    from .commands.custom import custom_objects_of
    from .commands.inspect import inspect

    parser = _parser("inspect")
    parser.add_argument("file", metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        text, loads = inspect(chosen.file, custom_objects_of(chosen.custom))
    except FileNotFoundError as error:
        return _failed(error)
    print(_shown(text))
    return 0 if loads else 1


def _convert(arguments: list[str]) -> int:
    from .commands.convert import convert
    from .commands.custom import custom_objects_of

    parser = _parser("convert")
    parser.add_argument("source", metavar="IN")
    parser.add_argument("target", metavar="OUT")
    parser.add_argument("--architecture", metavar="FILE")
    parser.add_argument("--max-shard-size", metavar="GIGABYTES", type=float)
    parser.add_argument("--weights-only", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        text, holds = convert(
            chosen.source,
            chosen.target,
            custom_objects_of(chosen.custom),
            chosen.architecture,
            chosen.max_shard_size,
            chosen.weights_only,
        )
    except (ValueError, TypeError, OSError) as error:
        return _failed(error)
    print(_shown(text))
    return 0 if holds else 1


_COMMANDS = {"inspect": _inspect, "convert": _convert}


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m layerkit {command}")
    parser.add_argument("--custom", metavar="module.py", help="the model's own classes: it is run")
    return parser


def _failed(error: Exception) -> int:
    print(f"layerkit: {_shown(str(error))}", file=sys.stderr)
    return 1


def _shown(text: str) -> str:
    """Texts of files, which may hold what steers the terminal."""
    from .saving.refusal import without_steering

    return without_steering(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
