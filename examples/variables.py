"""Constants, variables, assignment; then a line recovered from noisy samples with the tape."""

import numpy as np

from layerkit import backend as K

a, b = K.convert_to_tensor(2.0), K.convert_to_tensor(3.0)
print("constants:", a + b, a * b)

v = K.Variable(100 + 50)
print("Variable(100+50):", v)
v.assign(10)
v.assign_add(5)
v.assign_sub(1)
print("after assign(10), assign_add(5), assign_sub(1):", v)
print("as a float:", float(v), "  as an array:", v.numpy(), "  as a tensor:", v + 0)

x = np.arange(5.0)
print("y = 2x + 6 at", x, "is", 2 * K.convert_to_tensor(x) + 6)

# 1,000 samples of y = 3x + 2 with noise of standard deviation 1; ten steps from W = 5, b = 0.
random = np.random.default_rng(0)
x = random.standard_normal(1000).astype("float32")
y = 3 * x + 2 + random.standard_normal(1000).astype("float32")
W, b = K.Variable(5.0, name="W"), K.Variable(0.0, name="b")
for step in range(10):
    with K.GradientTape() as tape:
        loss = K.mean(K.square(y - (W * x + b)))
    dW, db = tape.gradient(loss, [W, b])
    print(f"step {step}: W = {float(W):.2f}, b = {float(b):.2f}, loss = {float(loss):.3f}")
    W.assign_sub(0.1 * dW)
    b.assign_sub(0.1 * db)
print(f"recovered: W = {float(W):.2f} (3 is true), b = {float(b):.2f} (2 is true)")
