"""Keras's `preprocessing`: images, sequences and texts made ready for a model."""
