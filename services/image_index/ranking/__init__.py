"""A query and the probabilities of all images in, the most similar images out. Knows no file and no network."""
