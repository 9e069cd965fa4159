"""The smallest network: one weight, one input, one target."""

from layerkit import backend as K
from layerkit.optimizers import SGD

weight = K.Variable(0.8, name="weight")
x, target = 1.0, 0.0
optimizer = SGD(learning_rate=0.025)


def cost():
    return K.square(weight * x - target)


print(f"gradient: {float(K.gradients(cost, weight)):.6g}")
optimizer.minimize(cost, [weight])
print(f"weight after one step: {float(weight):.6g}")
for _ in range(100):
    optimizer.minimize(cost, [weight])
print(f"output after 100 more: {float(weight * x):.5g}")
