"""A classifier is fine-tuned, calibrated and written as a folder that is served."""
