"""Texts in folders, tf.data and TextVectorization, as TensorFlow's tutorial has them."""

import os
import re
import string

import tensorflow as tf
from tensorflow.keras import layers, losses

for kind, word in (("neg", "bad"), ("pos", "good")):
    os.makedirs(os.path.join("texts", kind))
    for i in range(12):
        with open(os.path.join("texts", kind, "%d.txt" % i), "w") as file:
            file.write("This film, number %d,<br /> is %s!" % (i, word.upper()))

options = {"batch_size": 4, "validation_split": 0.25, "seed": 42, "verbose": False}
train = tf.keras.utils.text_dataset_from_directory("texts", subset="training", **options)
validation = tf.keras.utils.text_dataset_from_directory("texts", subset="validation", **options)
names = train.class_names
for text_batch, label_batch in train.take(1):
    words = {"neg": "BAD", "pos": "GOOD"}
    for text, label in zip(text_batch.numpy(), label_batch.numpy()):
        assert words[names[label]] in text


def standardize(texts):
    lowercase = tf.strings.lower(texts)
    stripped = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped, "[%s]" % re.escape(string.punctuation), "")


vectorize = layers.TextVectorization(
    standardize=standardize, max_tokens=30, output_mode="int", output_sequence_length=8
)
vectorize.adapt(train.map(lambda text, label: text))


def to_ids(text, label):
    return vectorize(tf.expand_dims(text, -1)), label


autotune = tf.data.AUTOTUNE
train_ids = train.map(to_ids).cache().prefetch(buffer_size=autotune)
validation_ids = validation.map(to_ids, num_parallel_calls=autotune).cache().prefetch(autotune)
model = tf.keras.Sequential(
    [layers.Embedding(30, 8), layers.GlobalAveragePooling1D(), layers.Dense(1)]
)
model.compile(
    loss=losses.BinaryCrossentropy(from_logits=True),
    optimizer=tf.keras.optimizers.legacy.Adam(0.05),
    metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)],
)
history = model.fit(train_ids, validation_data=validation_ids, epochs=15, verbose=0)
whole = tf.keras.Sequential([vectorize, model, layers.Activation("sigmoid")])
whole.compile(loss=losses.BinaryCrossentropy(), metrics=["accuracy"])
found = whole.evaluate(validation, return_dict=True, verbose=0)
chances = whole.predict(tf.constant(["What a good film!", "Bad, bad, bad."]), verbose=0)
print("texts", sorted(found), found["accuracy"], chances[0, 0] > 0.5 > chances[1, 0])
