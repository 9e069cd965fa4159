"""python -m layerkit script.py [arguments]: run a Keras script on layerkit, as it is."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from .compat import install_as_keras

USAGE = """usage: python -m layerkit script.py [arguments]

Runs a Keras script on layerkit: `import keras` and `import tensorflow.keras` give layerkit, and the
names and arguments of Keras 1 and 2 are understood."""


def main(arguments: list[str]) -> int:
    """Run the script with its arguments; 2 where there is none."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    script = Path(arguments[0])
    if not script.is_file():
        print(f"layerkit: there is no script {script}\n\n{USAGE}", file=sys.stderr)
        return 2
    install_as_keras()
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
