"""Procedural radiographs: for a gallery without patients, for training, and for tests that know the truth."""

from services.image_index.examples.phantoms.gallery import write_gallery
from services.image_index.examples.phantoms.label_sets import draw_labels
from services.image_index.examples.phantoms.phantom import Phantom, make_phantom

__all__ = ["Phantom", "draw_labels", "make_phantom", "write_gallery"]
