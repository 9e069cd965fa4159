"""What benchmarks share: models in words, the frameworks that build them, their processes."""
