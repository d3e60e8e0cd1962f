"""Who saw and changed what: one line for each access, on disk before its answer leaves."""
