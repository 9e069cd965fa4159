"""layerkit.applications: ready architectures, some with trained weights."""

from .lenet import LeNet5
from .vgg import VGG16

__all__ = ["LeNet5", "VGG16"]
