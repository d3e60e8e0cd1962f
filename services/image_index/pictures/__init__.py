"""A file's bytes in, one grey picture out, with what the file says of it."""
