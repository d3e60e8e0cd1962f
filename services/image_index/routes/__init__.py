"""HTTP in and out of the image index."""
