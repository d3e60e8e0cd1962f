"""An impression in, the 14 labels with their states and evidence out."""
