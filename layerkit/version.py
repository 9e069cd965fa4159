"""The version, alone in its file so that packaging can read it without importing layerkit."""

__version__ = "0.1.0"


def version() -> str:
    """layerkit's version."""
    return __version__
