"""Networks by name, and from a model folder. They need torch, as training does, and serving without a graph."""
