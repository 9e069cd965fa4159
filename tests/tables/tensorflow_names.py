"""Names of tensorflow beside keras, each in an expression whose value is compared."""

from __future__ import annotations

import numpy as np

A = np.array([[0.5, -0.25, 0.75], [0.1, 0.9, -0.6]], "float32")
B = np.array([[0.2, 0.5, -0.5], [0.7, 0.9, 0.4]], "float32")
P = np.abs(A)
SQUARE = np.array([[2.0, 1.0], [0.5, 3.0]], "float32")
MASK = np.array([[True, False, True], [False, False, True]])
IDS = np.array([2, 0])
IMAGES = (np.arange(96).reshape(2, 4, 4, 3) * 7 % 97).astype("float32")
KERNEL = np.sin(np.arange(24, dtype="float32")).reshape(2, 2, 3, 2)

_UNARY = "abs acos asin atan cos cosh exp floor negative round sigmoid sign sin sinh"
_OF_POSITIVE = "math.log math.log1p math.rsqrt sqrt"
_BINARY = "add atan2 divide maximum minimum multiply pow subtract truediv"
_COMPARED = "equal greater greater_equal less less_equal not_equal"
_REDUCED = "reduce_max reduce_mean reduce_min reduce_prod reduce_sum reduce_logsumexp"
_OF_MATH = "math.ceil math.erf math.expm1 math.is_finite math.is_inf math.is_nan math.softplus"
_OF_NN = "elu gelu relu relu6 selu softplus softsign silu swish leaky_relu softmax log_softmax tanh"


def _calls(names, form):
    return [form.format(name) for name in names.split()]


EXPRESSIONS = [
    *_calls(_UNARY + " square tan tanh " + _OF_MATH, "tf.{}(A)"),
    *_calls(_OF_POSITIVE, "tf.{}(P)"),
    *_calls(_BINARY, "tf.{}(P, B)"),
    *_calls(_COMPARED, "tf.{}(A, B)"),
    *_calls(_REDUCED, "tf.{}(A, axis=1, keepdims=True)"),
    *_calls("reduce_all reduce_any", "tf.{}(MASK, 0)"),
    *_calls(_OF_NN, "tf.nn.{}(A)"),
    "tf.reduce_sum([tf.reduce_mean(A), tf.reduce_mean(B)])",
    "tf.logical_not(MASK)",
    "tf.math.reciprocal(A)",
    "tf.logical_and(MASK, x := ~MASK) | tf.logical_or(MASK, x)",
    "tf.math.logical_xor(MASK, MASK[::-1])",
    "tf.math.conj(A) + tf.math.real(A) + tf.math.imag(A)",
    "tf.math.mod(A, P) + tf.math.floormod(A, B) + tf.math.floordiv(A, B)",
    "tf.math.divide_no_nan(A, [[1.0], [0.0]])",
    "tf.math.reduce_std(A, axis=0) + tf.math.reduce_variance(A, axis=0)",
    "tf.math.reduce_mean(A) + tf.math.log(2.0)",
    "tf.math.argmax(A, axis=1) + tf.math.argmin(A, axis=1)",
    "tf.math.cumsum(A) + tf.math.cumprod(A, 1)",
    "tf.math.count_nonzero(MASK, axis=1)",
    "tf.math.top_k(A, k=2)[0] + tf.nn.top_k(B, 2).values",
    "tf.math.l2_normalize(A, axis=1)",
    "tf.math.confusion_matrix([0, 2, 2], [0, 1, 2])",
    "tf.argsort(A) + tf.cast(tf.sort(A, axis=1) > 0, tf.int32)",
    "tf.broadcast_to(IDS, shape=(2, 2))",
    "tf.cast(A * 4, tf.int32)",
    "tf.clip_by_value(A, clip_value_min=-0.1, clip_value_max=0.5)",
    "tf.concat([A, B], axis=-1)",
    "tf.concat(values=[A, B], axis=0, name='both')",
    "tf.cond(tf.constant(True), lambda: A, lambda: B)",
    "tf.convert_to_tensor([1, 2], dtype=tf.float32)",
    "tf.cumsum(A, axis=1)",
    "tf.expand_dims(A, axis=1)",
    "tf.eye(3) + tf.fill([3, 3], 2.0)",
    "tf.is_tensor(tf.constant(1.0))",
    "tf.linspace(0.0, 1.0, 5)",
    "tf.map_fn(lambda x: x * 2, A)",
    "tf.norm(A, axis=1) + tf.linalg.norm(A, axis=1)",
    "tf.ones((2, 2), tf.int32) + tf.ones_like(IDS, dtype=tf.int32)",
    "tf.rank(A) + tf.size(A) + tf.shape(A)[1]",
    "tf.repeat(A, repeats=2, axis=0)",
    "tf.reshape(A, [3, -1])",
    "tf.reverse(A, axis=[1])",
    "tf.roll(A, shift=1, axis=1)",
    "tf.squeeze(A[None], axis=0)",
    "tf.stack([A, B], axis=1)",
    "tf.stop_gradient(A)",
    "tf.tensordot(A, B, axes=[[1], [1]])",
    "tf.tile(A, multiples=[1, 2])",
    "tf.transpose(A, perm=[1, 0])",
    "tf.transpose(A)",
    "tf.unstack(A)[1]",
    "tf.while_loop(lambda i: i < 5, lambda i: (i + 2,), (tf.constant(0),))[0]",
    "tf.zeros([2], dtype=tf.float32) + tf.zeros_like([1.0, 2.0])",
    "tf.constant(3, shape=(2, 2))",
    "tf.constant([1.0, 2.0, 3.0, 4.0], shape=(2, 2))",
    "tf.range(3) + tf.range(1, 6, 2)",
    "tf.identity(A)",
    "tf.einsum('ij,kj->ik', A, B)",
    "tf.matmul(A, B, transpose_b=True)",
    "tf.linalg.matmul(A, B, transpose_a=True)",
    "tf.gather(A, [1, 1, 0])",
    "tf.gather(A, IDS, axis=1)",
    "tf.argmax(A)",
    "tf.argmin(A, axis=1, output_type=tf.int32)",
    "tf.where(MASK)",
    "tf.where(MASK, A, B)",
    "tf.boolean_mask(A, [False, True])",
    "tf.one_hot(IDS, depth=3)",
    "tf.one_hot(IDS, 4, dtype=tf.int32)",
    "tf.split(A, 3, axis=1)[1]",
    "tf.split(A, num_or_size_splits=[1, 2], axis=1)[1]",
    "tf.pad(A, [[1, 0], [0, 2]], constant_values=1.0)",
    "tf.pad(A, [[0, 0], [1, 1]], mode='REFLECT')",
    "tf.linalg.det(SQUARE)",
    "tf.linalg.inv(SQUARE)",
    "tf.linalg.diag_part(SQUARE)",
    "tf.linalg.einsum('ij->ji', A)",
    "tf.nn.l2_normalize(A, axis=1)",
    "tf.nn.moments(A, axes=[0])[1]",
    "tf.nn.embedding_lookup(A, [1, 0, 1])",
    "tf.nn.bias_add(A, [1.0, 2.0, 3.0])",
    "tf.nn.l2_loss(A)",
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=P, logits=B)",
    "tf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0, 0.0]], logits=A[:1])",
    "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=IDS, logits=A)",
    "tf.nn.conv2d(IMAGES, KERNEL, strides=[1, 2, 2, 1], padding='SAME')",
    "tf.nn.conv2d(IMAGES, KERNEL, strides=1, padding='VALID')",
    "tf.nn.max_pool2d(IMAGES, ksize=2, strides=2, padding='VALID')",
    "tf.nn.avg_pool2d(IMAGES, [2, 2], [1, 1], 'SAME')",
    "tf.nn.sigmoid(A)",
    "tf.image.resize(IMAGES, [2, 3])",
    "tf.image.resize(IMAGES[0], (8, 8), method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)",
    "tf.image.flip_left_right(IMAGES) + tf.image.flip_up_down(IMAGES)",
    "tf.image.rgb_to_grayscale(IMAGES)",
    "tf.image.grayscale_to_rgb(tf.constant(IMAGES[..., :1]))",
    "tf.image.convert_image_dtype(IMAGES.astype('uint8'), tf.float32)",
    "tf.image.per_image_standardization(IMAGES)",
    "tf.Variable(initial_value=[1.0, 2.0], trainable=False)",
    "tf.constant(1.5).dtype == tf.float32",
    "tf.strings.lower(['Ab', 'C']) == tf.constant(['ab', 'c'])",
    "tf.strings.upper(tf.constant('ab')) == 'AB'",
    "tf.strings.strip([' a ', 'b']) == ['a', 'b']",
    "tf.strings.regex_replace(['a.b.c', '.'], r'[.]', '-') == ['a-b-c', '-']",
    "tf.strings.regex_replace(['a.b.c'], '[.]', '', replace_global=False) == ['ab.c']",
    "tf.strings.length(['abc', 'é']) + tf.strings.length(['abc', 'é'], unit='UTF8_CHAR')",
    "tf.strings.join([['a', 'b'], 'c'], separator='-') == ['a-c', 'b-c']",
    "tf.identity(tf.zeros_initializer()((2,)) + tf.ones_initializer()((2,)))",
    "tf.identity(tf.constant_initializer(2.0)((2,)))",
    "tf.identity(tf.initializers.Zeros()((2,))) + tf.losses.MeanSquaredError()([[1.0]], [[3.0]])",
    "tf.metrics.BinaryAccuracy()([1.0], [0.9]) + tf.optimizers.SGD(0.5).learning_rate",
    "tf.data.experimental.cardinality(tf.data.Dataset.range(3)) + tf.data.AUTOTUNE",
]


def value(tf, expression):
    """The value as a NumPy array, with the names of this file and this `tf`."""
    return np.asarray(eval(expression, {**globals(), "tf": tf}))
