"""What is said where a command needs packages that a serving install lacks. It needs none of them itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OURS = {"services", "shared"}


@contextmanager
def what_to_install(service: str) -> Iterator[None]:
    """Around the imports of a command line that needs more than serving does."""
    try:
        yield
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] in _OURS:
            raise
        needed = f"this needs {missing.name}, which serving does not"
        sys.exit(f"{service}: {needed}. Install it with: pip install '.[train]'")
