"""Models that other projects trained, read as they come."""
