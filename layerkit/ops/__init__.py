"""Keras's `ops`: functions of tensors, symbolic ones too, under Keras's names."""
