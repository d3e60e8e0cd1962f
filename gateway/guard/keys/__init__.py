"""API keys: how they are written, kept, checked, and made on the command line."""
