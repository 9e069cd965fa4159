"""Models that are classes, whose weights lie in files by the names of attributes: Keras's or ours.

Run under Keras by `legacy_keras3.py`, and under layerkit by `test_old_files.py`.
"""


def classes(keras):
    """{row: class} of models over inputs of four numbers, made of the layers of `keras`."""
    layers = keras.layers

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.zeta = layers.Dense(4, activation="relu")
            self.alpha = [layers.Dense(3), layers.BatchNormalization()]
            self._hidden = layers.Dense(2)

        def call(self, x):
            x = self.zeta(x)
            for layer in self.alpha:
                x = layer(x)
            return self._hidden(x)

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.b = layers.Dense(4)
            self.a = [layers.Dense(4), layers.LayerNormalization()]

        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
            super().build(shape)

        def call(self, x):
            for layer in [self.b, *self.a]:
                x = layer(x)
            return x * self.scale

    class Containers(keras.Model):
        """Lists, tuples and dicts, in each other too, a model, a layer of layers, own weights."""

        def __init__(self):
            super().__init__()
            self.Upper = layers.Dense(4)
            self._private = layers.Dense(4)
            self.blocks = [layers.Dense(4), Block(), layers.Dense(4), Block()]
            self.pair = (layers.Dense(4), layers.Dense(4))
            self.named = {"z": layers.Dense(4), "a": layers.BatchNormalization()}
            self.nested = [[layers.Dense(4)], [layers.Dense(4), layers.Dense(4)]]
            self.stack = keras.Sequential(
                [layers.Dense(4), layers.Dropout(0.5, seed=1), layers.Dense(2)]
            )

        def call(self, x, training=False):
            groups = [self.blocks, self.pair, self.named.values(), *self.nested]
            for layer in [self.Upper, self._private, *(each for group in groups for each in group)]:
                still = isinstance(layer, layers.BatchNormalization)  # 4 samples vary too little
                x = layer(x, training=False) if still else layer(x)
            return self.stack(x, training=False)

    return {"subclassed": Own, "containers": Containers}
