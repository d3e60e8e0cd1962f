"""From files to images in the store: one at a time for a request, many at once for an archive."""
