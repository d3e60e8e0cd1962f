"""What the text classifier read in many reports, put into an index as evidence."""
