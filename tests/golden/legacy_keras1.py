"""The models whose files Keras 0.3, 1.0 and 1.2 write; run by `make_legacy_files.py`."""

import keras
import numpy as np
from keras import backend as K
from keras.layers import (
    GRU,
    LSTM,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    SimpleRNN,
)
from keras.models import Sequential
from legacy_files import Table, ids, normal

if not hasattr(K, "backend") or K.backend() == "theano":
    import theano.ifelse  # noqa: F401  this Keras expects that something has imported it

OLDEST = keras.__version__.startswith("0.")
table = Table()
row = table.row

if OLDEST:  # before the functional API: files are weights, the architecture is JSON or YAML

    def compiled(model):
        model.compile(loss="mse", optimizer="sgd")
        return model

    weights = ("weights.h5", "json", "yaml")

    @row("Sequential of Keras 0: weights as layer_N/param_N, architecture as text", formats=weights)
    def dense():
        model = Sequential()
        model.add(Dense(5, input_dim=4, activation="tanh", init="glorot_normal"))
        model.add(Dropout(0.5))
        model.add(Dense(3, W_regularizer=keras.regularizers.l2(0.01)))
        model.add(Activation("softmax"))
        return compiled(model), normal(2, 4)

    @row("Theano's convolution of 'th' images, Flatten", formats=("weights.h5", "json"))
    def convolution():
        model = Sequential()
        model.add(
            keras.layers.Convolution2D(
                2, 3, 3, border_mode="same", subsample=(2, 2), input_shape=(2, 6, 7)
            )
        )
        model.add(keras.layers.MaxPooling2D(pool_size=(2, 2)))
        model.add(keras.layers.BatchNormalization())
        model.add(Flatten())
        model.add(Dense(2))
        return compiled(model), normal(2, 2, 6, 7)

    parts = ("weights.h5", "json")

    @row("pooling, padding and upsampling of 'th' images, 1D layers", formats=parts)
    def pooling():
        model = Sequential()
        said = {"border_mode": "same"}
        convolutional = keras.layers.Convolution2D
        model.add(convolutional(2, 2, 3, input_shape=(2, 6, 7), **said))
        model.add(keras.layers.AveragePooling2D((3, 2), strides=(2, 2), **said))
        model.add(keras.layers.ZeroPadding2D((1, 2)))
        model.add(keras.layers.UpSampling2D((1, 2)))
        model.add(keras.layers.Reshape((10, 16)))
        model.add(keras.layers.Permute((2, 1)))
        model.add(keras.layers.Convolution1D(3, 3, subsample_length=2))
        model.add(keras.layers.MaxPooling1D(2))
        model.add(keras.layers.TimeDistributedDense(2, activation="relu"))
        model.add(Flatten())
        model.add(keras.layers.RepeatVector(2))
        return compiled(model), normal(2, 2, 6, 7)

    @row("two branches that are merged; normalization of samples", formats=parts)
    def branches():
        left, right = Sequential(), Sequential()
        left.add(Dense(3, input_dim=4))
        right.add(Dense(3, input_dim=2))
        right.add(keras.layers.advanced_activations.PReLU())
        model = Sequential()
        model.add(keras.layers.Merge([left, right], mode="concat"))
        model.add(keras.layers.BatchNormalization(mode=1))
        model.add(Dense(2))
        return compiled(model), [normal(2, 4), normal(2, 2)]

    @row("a Graph: inputs, nodes and outputs by name", formats=parts)
    def graph():
        model = keras.models.Graph()
        model.add_input("a", input_shape=(4,))
        model.add_input("b", input_shape=(4,))
        model.add_node(Dense(3, activation="tanh"), "first", input="a")
        model.add_node(Dense(3), "second", inputs=["a", "b"], merge_mode="sum")
        model.add_node(Dense(2), "third", inputs=["first", "second"], merge_mode="concat")
        model.add_output("out", input="third")
        model.add_output("other", inputs=["first", "second"], merge_mode="mul")
        model.compile("sgd", {"out": "mse", "other": "mse"})
        return NamedEnds(model), [normal(2, 4), normal(2, 4) + 1]

    class NamedEnds:
        """A Graph that predicts as other models do."""

        layers = ()

        def __init__(self, graph):
            self.graph = graph
            self.get_weights, self.set_weights = graph.get_weights, graph.set_weights
            self.to_json, self.save_weights = graph.to_json, graph.save_weights

        def predict(self, inputs, **said):
            outputs = self.graph.predict({"a": inputs[0], "b": inputs[1]}, **said)
            return [outputs["out"], outputs["other"]]

    @row("an Embedding and the three recurrent layers", formats=("weights.h5", "json"))
    def recurrent():
        model = Sequential()
        model.add(Embedding(7, 3, input_length=5))
        model.add(LSTM(3, return_sequences=True))
        model.add(GRU(2, return_sequences=True))
        model.add(SimpleRNN(2))
        model.add(keras.layers.MaxoutDense(2, nb_feature=3))
        model.add(keras.layers.Highway())
        return compiled(model), ids(7, 2, 5)

else:
    from keras.layers import (
        AtrousConvolution2D,
        AveragePooling2D,
        BatchNormalization,
        Convolution1D,
        Convolution2D,
        Convolution3D,
        Deconvolution2D,
        Highway,
        Input,
        Lambda,
        LocallyConnected1D,
        LocallyConnected2D,
        Masking,
        MaxoutDense,
        Merge,
        Permute,
        RepeatVector,
        Reshape,
        TimeDistributed,
        merge,
    )
    from keras.models import Model
    from keras.regularizers import l1, l1l2, l2

    NEW = keras.__version__.startswith("1.2")  # and not 1.0

    def chain(inputs, *layers):
        """A functional model of layers one after the other; its Input."""
        x = inputs
        for layer in layers:
            x = layer(x)
        return Model(inputs, x)

    # Models

    @row("Sequential; old names of arguments, initializers, regularizers, constraints")
    def sequential():
        model = Sequential(name="old")
        model.add(
            Dense(
                5,
                input_dim=4,
                init="he_normal",
                activation="relu",
                W_regularizer=l2(0.01),
                b_regularizer=l1(0.001),
                activity_regularizer=keras.regularizers.activity_l2(0.1),
                W_constraint=keras.constraints.maxnorm(2, axis=0),
                b_constraint=keras.constraints.nonneg(),
            )
        )
        model.add(Dropout(0.5))
        model.add(Dense(4, init="uniform", W_constraint=keras.constraints.unitnorm(), bias=False))
        model.add(Dense(3, init="orthogonal", W_regularizer=l1l2(0.1, 0.2), activation="softmax"))
        return model, normal(2, 4)

    @row("Sequential's architecture and weights apart", formats=("json", "yaml", "weights.h5"))
    def apart():
        model = Sequential([Dense(5, input_shape=(4,), activation="hard_sigmoid"), Dense(2)])
        return model, normal(2, 4)

    @row("functional: two inputs, two outputs, a shared layer, merge as a function")
    def functional():
        a, b = Input((4,), name="a"), Input((4,), name="b")
        shared = Dense(3, activation="tanh", name="shared")
        left, right = shared(a), shared(b)
        both = merge([left, right], mode="concat", concat_axis=-1, name="both")
        one = Dense(1, activation="sigmoid", name="one")(both)
        two = Dense(2, activation="softmax", name="two")(both)
        return Model(input=[a, b], output=[one, two]), [normal(2, 4), normal(2, 4) + 1]

    @row("a model in a model, and one in a Sequential")
    def nested():
        inner_input = Input((4,))
        inner = Model(inner_input, Dense(3, activation="relu")(inner_input), name="inner")
        tail = Sequential([Dense(3, input_dim=3), MaxoutDense(2)], name="tail")
        x = Input((4,))
        return Model(x, tail(inner(x))), normal(2, 4)

    @row("a Sequential that begins with a Merge of two Sequentials")
    def branches():
        left = Sequential([Dense(3, input_dim=4)])
        right = Sequential([Dense(3, input_dim=2)])
        model = Sequential([Merge([left, right], mode="concat"), Dense(2)])
        return model, [normal(2, 4), normal(2, 2)]

    @row("all modes of merge")
    def merge_modes():
        a, b = Input((4,)), Input((4,))
        modes = ["sum", "mul", "ave", "concat", "dot", "cos"] + ["max"] * NEW
        outputs = [merge([a, b], mode=mode, name="by_" + mode) for mode in modes]
        return Model([a, b], outputs), [normal(2, 4), normal(2, 4)[::-1].copy()]

    @row("merge of matrices: dot with axes, concat along an axis")
    def merge_axes():
        a, b = Input((3, 4)), Input((3, 4))
        outputs = [
            merge([a, b], mode="dot", dot_axes=(2, 2)),
            merge([a, b], mode="dot", dot_axes=1),
            merge([a, b], mode="concat", concat_axis=1),
        ]
        return Model([a, b], outputs), [normal(2, 3, 4), normal(2, 3, 4)[::-1].copy()]

    # Convolutions; `backend` and dim_ordering decide what a kernel means

    def images(order, size, channels):
        return (channels,) + size if order == "th" else size + (channels,)

    def convolutions(order):
        shape = images(order, (7, 6), 2)
        x = Input(shape)
        said = {"dim_ordering": order}
        same = Convolution2D(3, 3, 2, border_mode="same", subsample=(2, 1), **said)(x)
        pooled = AveragePooling2D((2, 2), strides=(1, 1), border_mode="same", **said)(same)
        valid = Convolution2D(2, 2, 2, activation="relu", bias=False, **said)(pooled)
        outputs = [same, pooled, Dense(2)(Flatten()(valid))]
        return Model(x, outputs), normal(2, *shape)

    def holes(order):
        shape = images(order, (8, 7), 2)
        x = Input(shape)
        said = {"dim_ordering": order}
        atrous = AtrousConvolution2D(2, 3, 3, atrous_rate=(2, 2), border_mode="same", **said)(x)
        up = keras.layers.UpSampling2D((2, 1), **said)(x)
        padded = keras.layers.ZeroPadding2D((1, 2), **said)(x)
        outputs = [atrous, up, padded]
        if NEW:
            outputs.append(keras.layers.Cropping2D(((1, 0), (2, 1)), **said)(x))
            outputs.append(keras.layers.GlobalMaxPooling2D(**said)(x))
        return Model(x, outputs), normal(2, *shape)

    def transposed(order):
        shape = images(order, (4, 5), 2)
        output = (2,) + images(order, (9, 11), 3)
        x = Input(batch_shape=(2,) + shape)
        layer = Deconvolution2D(3, 3, 3, output, subsample=(2, 2), dim_ordering=order)
        return Model(x, layer(x)), normal(2, *shape)

    def normalized(order):
        shape = images(order, (3, 4), 2)
        axis = 1 if order == "th" else -1
        model = Sequential(
            [
                Convolution2D(2, 1, 1, input_shape=shape, dim_ordering=order),
                BatchNormalization(axis=axis, mode=0, momentum=0.9, epsilon=1e-4),
                Activation("relu"),
                Flatten(),
                Dense(2),
            ]
        )
        model.compile("sgd", "mse")
        return model, normal(4, *shape), normal(4, 2)

    @row("2D convolutions and pooling, 'th'")
    def convolutions_th():
        return convolutions("th")

    @row("2D convolutions and pooling, 'tf'")
    def convolutions_tf():
        return convolutions("tf")

    @row("holes, upsampling, padding, 'th'")
    def holes_th():
        return holes("th")

    @row("holes, upsampling, padding, 'tf'")
    def holes_tf():
        return holes("tf")

    @row("a transposed convolution, 'th'", only=("1.2",))
    def transposed_th():
        return transposed("th")

    @row("a transposed convolution, 'tf'", only=("1.2",))
    def transposed_tf():
        return transposed("tf")

    @row("BatchNormalization after training, 'th'")
    def normalized_th():
        return normalized("th")

    @row("BatchNormalization after training, 'tf'")
    def normalized_tf():
        return normalized("tf")

    @row("a separable convolution", only=("tensorflow",))
    def separable():
        x = Input((6, 5, 2))
        said = {"border_mode": "same", "depth_multiplier": 2, "dim_ordering": "tf"}
        layer = keras.layers.SeparableConvolution2D(5, 3, 3, **said)
        return Model(x, layer(x)), normal(2, 6, 5, 2)

    @row("1D convolutions and pooling")
    def convolutions_1d():
        x = Input((9, 2))
        first = Convolution1D(3, 4, border_mode="same", subsample_length=2)(x)
        pool = keras.layers.MaxPooling1D(pool_length=2, stride=1)(first)
        outputs = [first, pool, LocallyConnected1D(2, 3)(x)]
        if NEW:
            outputs.append(keras.layers.AtrousConvolution1D(2, 3, atrous_rate=2)(x))
            outputs.append(keras.layers.Cropping1D((1, 2))(x))
        outputs.append(keras.layers.ZeroPadding1D(2)(keras.layers.UpSampling1D(2)(x)))
        return Model(x, outputs), normal(2, 9, 2)

    @row("3D convolution and pooling", only=("1.2",))
    def convolutions_3d():
        x = Input((5, 4, 6, 2))
        said = {"dim_ordering": "tf"}
        first = Convolution3D(2, 2, 3, 2, **said)(x)
        pool = keras.layers.MaxPooling3D((2, 1, 2), **said)(first)
        padded = keras.layers.ZeroPadding3D((1, 0, 1), **said)(pool)
        return Model(x, [first, padded]), normal(2, 5, 4, 6, 2)

    @row("locally connected images, 'tf'")
    def local_tf():
        x = Input((5, 6, 2))
        layer = LocallyConnected2D(2, 2, 3, subsample=(1, 2), dim_ordering="tf")
        return Model(x, layer(x)), normal(2, 5, 6, 2)

    # Recurrent layers; consume_less decides how many arrays there are

    def recurrent(how, inner):
        x = Input((4, 3))
        said = {"consume_less": how}
        if inner:
            said["inner_activation"] = inner
        a = LSTM(2, return_sequences=True, forget_bias_init="one", **said)(x)
        b = GRU(2, return_sequences=True, **said)(a)
        c = SimpleRNN(2, activation="tanh")(b)
        return Model(x, [a, b, c]), normal(2, 4, 3)

    @row("LSTM as twelve arrays, GRU as nine, hard_sigmoid by default (consume_less='cpu')")
    def recurrent_cpu():
        return recurrent("cpu", None)

    @row("LSTM and GRU as three arrays (consume_less='gpu')", only=("1.2",))
    def recurrent_gpu():
        return recurrent("gpu", None)

    @row("consume_less='mem', inner_activation='sigmoid'")
    def recurrent_mem():
        return recurrent("mem", "sigmoid")

    @row("Bidirectional (merge modes) and TimeDistributed", only=("1.2",))
    def wrappers():
        x = Input((4, 3))
        outputs = [TimeDistributed(Dense(2, activation="tanh"))(x)]
        for mode in ("sum", "mul", "ave"):
            both = keras.layers.Bidirectional(SimpleRNN(2), merge_mode=mode, input_shape=(4, 3))
            outputs.append(both(x))
        both = keras.layers.Bidirectional(GRU(2, return_sequences=True), input_shape=(4, 3))
        outputs.append(both(x))
        return Model(x, outputs), normal(2, 4, 3)

    @row("Embedding with mask_zero, a masked LSTM backwards")
    def masked_embedding():
        x = ids(7, 2, 5)
        x[0, 3:] = 0
        model = Sequential()
        model.add(Embedding(7, 3, mask_zero=True, input_length=5))
        model.add(LSTM(3, return_sequences=True))
        model.add(GRU(2, go_backwards=True))
        return model, x

    @row("Masking")
    def masking():
        x = normal(2, 4, 3)
        x[1, 2:] = 0.5
        return Sequential([Masking(0.5, input_shape=(4, 3)), SimpleRNN(2)]), x

    @row("a stateful recurrent layer, batch_input_shape")
    def stateful():
        model = Sequential([LSTM(2, stateful=True, batch_input_shape=(2, 4, 3)), Dense(1)])
        return model, normal(2, 4, 3)

    @row("unrolled recurrence with dropout of inputs and states")
    def unrolled():
        said = {"dropout_W": 0.2, "dropout_U": 0.3, "unroll": True, "input_shape": (3, 2)}
        return Sequential([GRU(2, **said)]), normal(2, 3, 2)

    @row("a convolutional LSTM, 'tf'", only=("1.2",))
    def convolutional_lstm():
        x = Input((3, 4, 5, 2))
        layer = keras.layers.ConvLSTM2D(2, 3, 3, border_mode="same", dim_ordering="tf")
        return Model(x, layer(x)), normal(2, 3, 4, 5, 2)

    # What Theano computed otherwise, forms that arguments had

    def pooling(order):
        shape = images(order, (7, 8), 1)
        x = Input(shape)
        y = Convolution2D(1, 1, 1, dim_ordering=order)(x)  # its weights' names tell the backend
        said = {"border_mode": "same", "dim_ordering": order}
        outputs = [
            kind(size, strides=strides, **said)(y)
            for kind in (AveragePooling2D, keras.layers.MaxPooling2D)
            for size, strides in [((2, 2), (2, 2)), ((3, 4), (2, 3)), ((5, 2), (1, 2))]
        ]
        return Model(x, outputs), normal(2, *shape)

    @row("pooling with 'same': even and odd windows, strides, 'th'", only=("theano",))
    def pooling_th():
        return pooling("th")

    @row("pooling with 'same': even and odd windows, strides, 'tf'", only=("1.2",))
    def pooling_tf():
        return pooling("tf")

    @row("3D layers of 'th' volumes", only=("theano",))
    def volumes_th():
        x = Input((2, 5, 4, 6))
        said = {"dim_ordering": "th"}
        outputs = [
            Convolution3D(2, 3, 3, 3, border_mode="same", **said)(x),
            Convolution3D(3, 2, 3, 2, **said)(x),
            keras.layers.MaxPooling3D((2, 1, 2), **said)(x),
            keras.layers.UpSampling3D((1, 2, 1), **said)(x),
        ]
        if NEW:
            outputs.append(Convolution3D(2, 2, 4, 3, border_mode="same", **said)(x))
            outputs.append(keras.layers.AveragePooling3D((3, 2, 3), border_mode="same", **said)(x))
            outputs.append(keras.layers.Cropping3D(((1, 0), (1, 1), (0, 2)), **said)(x))
            outputs.append(keras.layers.GlobalMaxPooling3D(**said)(x))
        return Model(x, outputs), normal(1, 2, 5, 4, 6)

    @row("locally connected images, 'th'")
    def local_th():
        x = Input((2, 5, 6))
        layer = LocallyConnected2D(2, 2, 3, subsample=(1, 2), dim_ordering="th")
        return Model(x, layer(x)), normal(2, 2, 5, 6)

    @row("layers at every step: convolutions and pooling with 'same', BatchNormalization")
    def at_steps():
        x = Input((2, 6, 5, 2))
        said = {"border_mode": "same", "dim_ordering": "tf"}
        y = TimeDistributed(Convolution2D(2, 3, 2, subsample=(2, 1), **said))(x)
        pooled = TimeDistributed(keras.layers.MaxPooling2D((2, 2), **said))(y)
        return Model(x, [y, pooled, TimeDistributed(Flatten())(y)]), normal(1, 2, 6, 5, 2)

    @row("transposed convolutions with 'same', and larger than they need be", only=("1.2",))
    def transposed_sizes():
        x = Input(batch_shape=(2, 4, 5, 2))
        said = {"subsample": (2, 2), "dim_ordering": "tf"}
        outputs = [
            Deconvolution2D(2, 3, 3, (2, 8, 10, 2), border_mode="same", **said)(x),
            Deconvolution2D(2, 3, 3, (2, 7, 10, 2), border_mode="same", **said)(x),
            Deconvolution2D(2, 3, 3, (2, 10, 11, 2), **said)(x),
        ]
        return Model(x, outputs), normal(2, 4, 5, 2)

    @row("border_mode='full'", only=("1.2.2-theano",))
    def full():
        x = Input((6, 5, 2))
        said = {"border_mode": "full", "dim_ordering": "tf"}
        outputs = [Convolution2D(2, 3, 2, **said)(x)]
        outputs.append(AtrousConvolution2D(2, 3, 3, atrous_rate=(2, 1), **said)(x))
        return Model(x, outputs), normal(1, 6, 5, 2)

    @row("padding as pairs, fours and dicts", only=("1.2",))
    def padding_forms():
        x, y = Input((3, 4, 2)), Input((3, 2))
        pads = {"top_pad": 1, "right_pad": 2}
        outputs = [
            keras.layers.ZeroPadding2D((1, 0, 2, 3), dim_ordering="tf")(x),
            keras.layers.ZeroPadding2D(pads, dim_ordering="tf")(x),
            keras.layers.ZeroPadding1D((1, 2))(y),
            keras.layers.ZeroPadding1D({"right_pad": 2})(y),
        ]
        return Model([x, y], outputs), [normal(1, 3, 4, 2), normal(1, 3, 2)]

    @row("a convolutional LSTM, 'th'", only=("1.2",))
    def convolutional_lstm_th():
        x = Input((3, 2, 4, 5))
        said = {"border_mode": "same", "dim_ordering": "th"}
        return Model(x, keras.layers.ConvLSTM2D(2, 3, 3, **said)(x)), normal(2, 3, 2, 4, 5)

    @row("masks: both ways, sequences backwards, at every step, merged", only=("1.2",))
    def masks():
        x = ids(7, 2, 5)
        x[0, :2] = 0
        x[1, 3:] = 0
        i = Input((5,))
        y = Embedding(7, 3, mask_zero=True, dropout=0.3)(i)
        said = {"return_sequences": True}
        outputs = [
            keras.layers.Bidirectional(LSTM(2, **said), input_shape=(5, 3))(y),
            keras.layers.Bidirectional(GRU(2), merge_mode="sum", input_shape=(5, 3))(y),
            SimpleRNN(2, go_backwards=True, **said)(y),
            TimeDistributed(Dense(2))(y),
            LSTM(2)(merge([y, GRU(3, **said)(y)], mode="sum")),
        ]
        return Model(i, outputs), x

    # Other layers

    @row("parameters shared along axes, which the file leaves out", only=("1.2",))
    def shared_axes():
        from keras.layers import advanced_activations as advanced

        x = Input((3, 4))
        outputs = [advanced.PReLU(shared_axes=[2])(x), advanced.SReLU(shared_axes=[1])(x)]
        return Model(x, outputs), normal(2, 3, 4)

    @row("advanced activations: LeakyReLU, PReLU, ELU, ThresholdedReLU, ParametricSoftplus, SReLU")
    def activations():
        from keras.layers import advanced_activations as advanced

        x = Input((3, 4))
        layers = [
            advanced.LeakyReLU(alpha=0.2),
            advanced.ELU(alpha=0.7),
            advanced.ThresholdedReLU(theta=0.4),
            advanced.ParametricSoftplus(),
            advanced.SReLU(),
            advanced.PReLU(shared_axes=[1]) if NEW else advanced.PReLU(),
        ]
        names = ["softplus", "softsign", "hard_sigmoid", "tanh", "linear", "softmax"]
        layers += [Activation(name) for name in names]
        return Model(x, [layer(x) for layer in layers]), normal(2, 3, 4)

    @row("Highway, MaxoutDense, Reshape with -1, Permute, RepeatVector")
    def maxout():
        x = Input((4,))
        y = MaxoutDense(6, nb_feature=3)(Highway(activation="relu")(x))
        outputs = [y, Permute((2, 1))(Reshape((2, -1 if NEW else 3))(y)), RepeatVector(3)(y)]
        return Model(x, outputs), normal(2, 4)

    @row("noise and dropout with old argument names")
    def noise():
        layers = [
            keras.layers.GaussianNoise(0.3, input_shape=(4, 3)),
            keras.layers.GaussianDropout(0.2),
            keras.layers.ActivityRegularization(l1=0.1, l2=0.2),
            Dropout(0.4),
        ]
        if NEW:
            layers.append(keras.layers.SpatialDropout1D(0.3))
        return Sequential(layers), normal(2, 4, 3)

    @row("BatchNormalization of each sample (mode 1), of the batch even when predicting (mode 2)")
    def batch_modes():
        x = Input((4,))
        outputs = [BatchNormalization(mode=1)(x), BatchNormalization(mode=2)(x)]
        return Model(x, outputs), normal(3, 4)

    @row("Python code inside: a Lambda of a lambda. Must not run", predicts=False)
    def lambda_code():
        return Sequential([Lambda(lambda x: x * 2, input_shape=(4,)), Dense(2)]), normal(2, 4)

    def doubled(x):
        return x * 2

    @row("a Lambda of a named function", custom_objects={"doubled": doubled})
    def lambda_named():
        return Sequential([Lambda(doubled, input_shape=(4,)), Dense(2)]), normal(2, 4)

    @row("Python code inside: merge with a lambda as mode. Must not run", predicts=False)
    def merge_lambda():
        a, b = Input((4,)), Input((4,))
        said = {"mode": lambda pair: pair[0] - pair[1], "output_shape": lambda s: s[0]}
        return Model([a, b], merge([a, b], **said)), [normal(2, 4), normal(2, 4)]

    class Scale(keras.engine.Layer):
        """What a user wrote: multiplies by a weight."""

        def build(self, input_shape):
            self.scale = K.variable(np.ones(input_shape[-1]), name=self.name + "_scale")
            self.trainable_weights = [self.scale]
            self.built = True

        def call(self, x, mask=None):
            return x * self.scale

    def own_loss(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1)

    @row(
        "a user's layer and loss",
        custom_objects={"Scale": Scale, "own_loss": own_loss},
    )
    def custom():
        model = Sequential([Scale(input_shape=(4,)), Dense(2)])
        model.compile("sgd", own_loss)
        return model, normal(4, 4), normal(4, 2)

    # Optimizers: state inside, and what two more steps make of it

    def trained(optimizer, **said):
        model = Sequential([Dense(3, input_dim=4, activation="tanh"), Dense(2)])
        model.compile(optimizer, said.pop("loss", "mse"), **said)
        return model, normal(4, 4), normal(4, 2)

    @row("SGD with momentum, Nesterov, decay")
    def sgd():
        return trained(keras.optimizers.SGD(0.1, momentum=0.9, decay=0.1, nesterov=True))

    @row("RMSprop, clipped")
    def rmsprop():
        return trained(keras.optimizers.RMSprop(lr=0.01, rho=0.8, clipnorm=0.5))

    @row("Adam, clipvalue, metrics and loss weights in the training config")
    def adam():
        said = {"metrics": ["accuracy", "mae"], "loss_weights": [0.5]}
        return trained(keras.optimizers.Adam(lr=0.01, clipvalue=0.2), **said)

    @row("Adamax")
    def adamax():
        return trained(keras.optimizers.Adamax(lr=0.01))

    @row("Nadam")
    def nadam():
        return trained(keras.optimizers.Nadam(lr=0.01))

    @row("Adagrad")
    def adagrad():
        return trained(keras.optimizers.Adagrad(lr=0.05))

    @row("Adadelta")
    def adadelta():
        return trained(keras.optimizers.Adadelta(lr=0.5))

    @row("RMSprop of tiny gradients: epsilon is outside of the root")
    def rmsprop_tiny():
        return trained(keras.optimizers.RMSprop(lr=0.1), loss_weights=[1e-2])

    @row("Adagrad of tiny gradients: epsilon is outside of the root")
    def adagrad_tiny():
        return trained(keras.optimizers.Adagrad(lr=0.1), loss_weights=[1e-2])

    @row("activity regularizers: of layers, as a layer")
    def regularized():
        both = {"activity_regularizer": keras.regularizers.activity_l1l2(0.1, 0.2)}
        model = Sequential(
            [
                Dense(3, input_dim=4, **both),
                keras.layers.ActivityRegularization(l1=0.1, l2=0.3),
                Dense(2, W_regularizer=l1l2(0.1, 0.2), b_regularizer=l2(0.3)),
            ]
        )
        model.compile(keras.optimizers.SGD(0.01), "mse")
        return model, normal(4, 4), normal(4, 2)

    @row("constraints while training goes on")
    def constrained():
        known = keras.constraints
        model = Sequential(
            [
                Convolution2D(
                    2,
                    2,
                    2,
                    input_shape=(3, 4, 5),
                    dim_ordering="th",
                    W_constraint=known.maxnorm(0.4),
                ),
                Flatten(),
                Dense(3, W_constraint=known.unitnorm(), b_constraint=known.nonneg()),
                Dense(2, W_constraint=known.maxnorm(0.5, axis=1)),
            ]
        )
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model, normal(4, 3, 4, 5), normal(4, 2)

    @row("a frozen BatchNormalization while training goes on")
    def frozen_training():
        model = Sequential(
            [Dense(3, input_dim=4), BatchNormalization(trainable=False), Dense(2)],
        )
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model, normal(4, 4), normal(4, 2)

    @row("a mask in BatchNormalization, and in the loss, while training goes on")
    def masked_training():
        x = ids(7, 2, 5)
        x[0, 3:] = 0
        model = Sequential(
            [
                Embedding(7, 3, mask_zero=True, input_length=5),
                BatchNormalization(),
                LSTM(2, return_sequences=True),
            ]
        )
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model, x, normal(2, 5, 2)

    @row("every loss, and metrics that went away")
    def losses():
        names = ["mse", "mae", "mape", "msle", "squared_hinge", "hinge", "binary_crossentropy"]
        names += ["categorical_crossentropy", "kld", "poisson", "cosine_proximity"]
        x = Input((4,), name="x")
        outputs = [Dense(3, activation="softmax", name=name + "_of")(x) for name in names]
        model = Model(x, outputs)
        metrics = ["precision", "matthews_correlation", "mse"] if NEW else ["mse"]
        model.compile(
            keras.optimizers.SGD(0.01), {name + "_of": name for name in names}, metrics=metrics
        )
        targets = np.eye(3, dtype="float32")[ids(3, 4)]
        return model, normal(4, 4), [targets] * len(names)

    @row("two outputs, losses by name, weights of losses, temporal sample weights")
    def two_losses():
        x = Input((3, 4), name="x")
        a = LSTM(2, name="a", return_sequences=True)(x)
        b = TimeDistributed(Dense(3, activation="softmax"), name="b")(x)
        model = Model(x, [a, b])
        model.compile(
            "adam",
            {"a": "mae", "b": "categorical_crossentropy"},
            loss_weights={"a": 0.3, "b": 2.0},
            metrics={"b": "accuracy"},
            sample_weight_mode={"a": "temporal", "b": None},
        )
        target = np.eye(3, dtype="float32")[ids(3, 2, 3)]
        return model, normal(2, 3, 4), [normal(2, 3, 2), target]
