"""Radiographs with labels, real and drawn, for judging and training."""
