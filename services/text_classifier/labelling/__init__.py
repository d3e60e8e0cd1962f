"""From a table of reports to a table of their labels."""
