"""What can be wrong with an audit. The messages are written for whoever runs the gateway."""


class AuditUnusable(Exception):
    """It cannot be gone on with: something was taken from it or changed, or its key is not there."""


class AuditBroken(Exception):
    """What `verify` found, a line for each finding."""


class NotWritten(Exception):
    """A line did not get to the disk, and nothing of it is kept."""
