"""Write the files of old and new Keras versions into tests/golden/legacy, by those Kerases.

Run it by hand, in an environment that holds the Keras in question; each writes one archive:

    python make_legacy_files.py --era keras1    # Keras 0.3, 1.0, 1.2 (Theano or TensorFlow 1)
    python make_legacy_files.py --era keras2    # Keras 2.0 to 2.3 (Theano or TensorFlow 1)
    python make_legacy_files.py --era tf_keras  # TensorFlow 1.15 to 2.15's tf.keras, or tf_keras
    python make_legacy_files.py --era keras3    # Keras 3 on any backend

Where these ran (h5py 2.10 and numpy 1.16 up to TensorFlow 1.15; an empty HOME, for old Keras reads
and writes ~/.keras; KERAS_BACKEND says the backend):

    Keras 0.3.3, 1.0.8, 1.2.2    Python 3.6, theano==1.0.5 or tensorflow==1.2.1
    Keras 2.0.9, 2.2.4           Python 3.6, tensorflow==1.4.1, tensorflow==1.13.2
    Keras 2.3.1                  Python 3.7, tensorflow==1.15.5 or theano==1.0.5
    tf.keras                     tensorflow==1.15.5 (3.7), 2.4.4 (3.8), 2.12.1 (3.10)
    tf_keras 2.17.0              Python 3.11, tensorflow==2.17.1
    Keras 3.0.5, 3.6.0, 3.12.0   Python 3.11, jax==0.4.34, JAX_DISABLE_JIT=1 (quicker)

With Theano: THEANO_FLAGS=device=cpu,floatX=float32,optimizer=None,cxx= (no compiler: quicker, too).
The files of Keras 3.15 are those of `make_saving_golden.py`.

Every model is deterministic: fixed inputs, and weights from a fixed seed. `<Keras>.zip` holds the
files and `arrays.npz` (per row: inputs x0..., predictions prediction0..., and for trained models
targets y0... and, after `more_steps` steps of train_on_batch(x, y), next_weight0... and
next_prediction0...); `<Keras>.json` says the versions and, per row, what it shows and what the
same Keras makes of its own file (`own_reload`).
"""

import argparse
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def standalone():
    """Keras as a package of its own: its environment and its load_model."""
    import keras

    backend = keras.backend.backend() if hasattr(keras.backend, "backend") else "theano"
    engine = __import__(backend)
    # Before Keras 3, a step in TensorFlow's graph counts while others read the count: what Adam's
    # next step gives is not one number there. Theano gives the numbers that the formulas mean.
    races = backend == "tensorflow" and int(keras.__version__.split(".")[0]) < 3
    environment = {
        "name": f"keras-{keras.__version__}-{backend}",
        "keras": keras.__version__,
        "backend": f"{backend} {engine.__version__}",
        "races": races,
    }

    def load_model(path, custom_objects):
        from keras.models import load_model

        return load_model(path, custom_objects=custom_objects or {})

    # A graph of TensorFlow 1 that holds all rows makes each step slow.
    return environment, load_model, getattr(keras.backend, "clear_session", None)


def keras1():
    import legacy_keras1

    return (legacy_keras1.table,) + standalone()


def keras2():
    os.environ["LEGACY_KERAS"] = "keras"
    import legacy_keras2
    import legacy_more2  # noqa: F401 - adds rows

    return (legacy_keras2.table,) + standalone()


def tf_keras():
    """TensorFlow's Keras 2: the package tf_keras where there is one, else tensorflow.keras."""
    import importlib.util

    import tensorflow

    package = "tf_keras" if importlib.util.find_spec("tf_keras") else "tensorflow"
    os.environ["LEGACY_KERAS"] = package
    import legacy_keras2
    import legacy_more2  # noqa: F401 - adds rows

    keras = legacy_keras2.keras
    if hasattr(tensorflow.config, "run_functions_eagerly"):
        tensorflow.config.run_functions_eagerly(True)  # tracing takes longer than the steps
    environment = {
        "name": "{}-{}".format(
            "tf_keras" if package == "tf_keras" else "tf.keras", keras.__version__
        ),
        "keras": keras.__version__,
        "backend": f"tensorflow {tensorflow.__version__}",
        "races": False,
    }

    def load_model(path, custom_objects):
        return keras.models.load_model(path, custom_objects=custom_objects)

    return legacy_keras2.table, environment, load_model, keras.backend.clear_session


def keras3():
    import legacy_keras3

    return (legacy_keras3.table,) + standalone()


def rows_not_in(table, folder, environment):
    """The names of the rows that the archive of this Keras does not have."""
    text = (Path(folder) / (environment["name"] + ".json")).read_text()
    return [name for name in table.rows if name not in json.loads(text)["rows"]]


ERAS = {"keras1": keras1, "keras2": keras2, "tf_keras": tf_keras, "keras3": keras3}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--era", choices=sorted(ERAS), required=True)
    parser.add_argument("--rows", nargs="*", default=(), help="write these again, keep the others")
    parser.add_argument("--new", action="store_true", help="only the rows that are not there yet")
    parser.add_argument("--folder", default=str(HERE / "legacy"))
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from legacy_files import write_all

    table, environment, load_model, clear = ERAS[arguments.era]()
    names = arguments.rows
    if arguments.new:
        names = rows_not_in(table, arguments.folder, environment)
    write_all(table, arguments.folder, environment, load_model, clear, names=names)


if __name__ == "__main__":
    main()
