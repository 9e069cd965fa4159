"""Write what layers of Keras 2.3.1 on Theano compute, with their architectures, for small inputs.

Run by hand, where `make_legacy_files.py` says that Keras runs:

    KERAS_BACKEND=theano python make_legacy_layers.py

`legacy_layers.json` holds per row the text that `to_json` gave, the shapes of all weights and of
the inputs (whose values are those of `tests/test_legacy_layers.py`), predictions, and the loss
where the targets are zeros.
"""

import json
from pathlib import Path

import numpy as np
from keras import layers, regularizers
from keras.layers import Input
from keras.models import Model

ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


@row
def a_layer_that_goes_backwards_both_ways():
    x = Input((3, 2))
    said = {"go_backwards": True, "return_sequences": True}
    return Model(x, layers.Bidirectional(layers.SimpleRNN(2, **said))(x))


@row
def the_penalty_of_what_both_ways_give():
    x = Input((3, 2))
    layer = layers.LSTM(2, activity_regularizer=regularizers.l2(1.0))
    return Model(x, layers.Bidirectional(layer, merge_mode="sum")(x))


@row
def masked_sequences_with_states():
    x = Input((4, 2))
    masked = layers.Masking()(x)
    states = layers.SimpleRNN(2, return_state=True)(masked)[1:]
    said = {"return_sequences": True}
    outputs = [
        layers.GRU(2, **said)(masked, initial_state=states),
        layers.SimpleRNN(2, go_backwards=True, **said)(masked, initial_state=states),
        layers.LSTM(2, return_state=True)(masked, initial_state=states * 2)[0],
        layers.Bidirectional(layers.SimpleRNN(2))(masked, initial_state=states * 2),
    ]
    return Model(x, outputs)


@row
def convolutional_lstms():
    last, first = Input((2, 3, 4, 2)), Input((2, 2, 3, 4))
    said = {"data_format": "channels_first", "padding": "same"}
    outputs = [
        layers.ConvLSTM2D(2, 2)(last),
        layers.ConvLSTM2D(2, (2, 3), strides=2, padding="same")(last),
        layers.ConvLSTM2D(2, (2, 3), strides=(2, 1), **said)(first),
        layers.ConvLSTM2D(2, 2, dilation_rate=2, use_bias=False, **said)(first),
    ]
    return Model([last, first], outputs)


@row
def images_between_corners():
    x = Input((2, 3, 1))
    return Model(x, layers.UpSampling2D(interpolation="bilinear")(x))


def values(shape):
    return np.linspace(-0.6, 0.7, int(np.prod(shape)), dtype="float32").reshape(shape)


def inputs(shape):
    """Two samples, of sequences with steps of zeros: what Masking leaves out."""
    x = values((2,) + tuple(shape[1:])) * 2
    x[0, 0], x[1, -1] = 0, 0
    return x


def described(model):
    model.set_weights([values(w.shape) for w in model.get_weights()])
    given = [inputs(shape) for shape in model.input_shape] if len(model.inputs) > 1 else None
    given = given or inputs(model.input_shape)
    predicted = model.predict(given)
    predicted = predicted if isinstance(predicted, list) else [predicted]
    model.compile("sgd", "mse")
    zeros = [np.zeros_like(y) for y in predicted]
    loss = model.evaluate(given, zeros if len(zeros) > 1 else zeros[0], verbose=0)
    return {
        "architecture": json.loads(model.to_json()),
        "weights": {
            layer.name: [list(w.shape) for w in layer.get_weights()] for layer in model.layers
        },
        "predictions": [np.round(y, 6).tolist() for y in predicted],
        "loss": round(float(np.ravel(loss)[0]), 6),
    }


if __name__ == "__main__":
    found = {name: described(make()) for name, make in sorted(ROWS.items())}
    target = Path(__file__).parent / "legacy_layers.json"
    target.write_text(
        json.dumps(found, indent=None, sort_keys=True).replace("], [", "],\n[") + "\n"
    )
