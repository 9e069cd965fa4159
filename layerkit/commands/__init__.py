"""What `python -m layerkit` does with files: look into them, and turn one format into another."""
