"""Texts with labels, real and composed, for judging and training."""
