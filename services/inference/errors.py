"""What goes wrong with a model."""


class ModelLoadError(Exception):
    """The folder holds no model that can be run here; the message says what to change."""
