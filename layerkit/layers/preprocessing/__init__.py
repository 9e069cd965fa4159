"""Layers that make data ready for a model: numbers, categories, texts, images."""
