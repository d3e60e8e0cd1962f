"""How well an encoder labels, and how well images are found with it."""
