"""A memory network of Sequentials that are merged, in the idioms of Keras 1."""

from __future__ import print_function

import numpy as np
from keras.layers import LSTM, Activation, Dense, Dropout, Merge, Permute
from keras.layers.embeddings import Embedding
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(1337)
WORDS, STORY, QUERY = 12, 6, 3
story = np.random.randint(1, WORDS, (60, STORY))
query = np.random.randint(1, WORDS, (60, QUERY))
answer = np.eye(WORDS)[story[:, -1]]

keys = Sequential()
keys.add(Embedding(input_dim=WORDS, output_dim=16, input_length=STORY))
keys.add(Dropout(0.1))
question = Sequential()
question.add(Embedding(input_dim=WORDS, output_dim=16, input_length=QUERY))
match = Sequential()
match.add(Merge([keys, question], mode="dot", dot_axes=[2, 2]))
match.add(Activation("softmax"))
values = Sequential()
values.add(Embedding(input_dim=WORDS, output_dim=QUERY, input_length=STORY))
response = Sequential()
response.add(Merge([match, values], mode="sum"))
response.add(Permute((2, 1)))

model = Sequential()
model.add(Merge([response, question], mode="concat", concat_axis=-1))
model.add(LSTM(16, inner_activation="sigmoid", consume_less="gpu"))
model.add(Dense(WORDS, init="glorot_uniform"))
model.add(Activation("softmax"))
model.compile(optimizer=RMSprop(lr=0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit([story, query, story], answer, batch_size=20, nb_epoch=40, verbose=0)
loss, accuracy = model.evaluate([story, query, story], answer, verbose=0)
classes = model.predict_classes([story, query, story], verbose=0)
assert abs((classes == answer.argmax(axis=1)).mean() - accuracy) < 1e-6
print("learned", loss < 2.0, len(model.inputs), model.output_shape)
