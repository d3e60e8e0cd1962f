"""Images as their probabilities and metadata, kept for good. `contract` says what every engine promises."""
