"""layerkit.applications: ready architectures, some with trained weights."""

from layerkit.backend.names import explain_missing

from .lenet import LeNet5
from .vgg import VGG16

__all__ = ["LeNet5", "VGG16"]

explain_missing(__name__)
