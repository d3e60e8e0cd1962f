"""The store within one process: SQLite keeps, columns in memory answer."""
