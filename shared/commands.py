"""How a command ends: what its user can mend is one plain sentence on stderr and status 1, never a traceback."""

import sys
from collections.abc import Callable

INTERRUPTED = 128 + 2  # what shells make of SIGINT
SOME_FAILED = 3  # where --strict asks to hear of it


def run(command: Callable[[], object], part: str, *mendable: type[Exception]) -> None:
    """Runs a whole command line. `mendable`: the errors whose text is written for the user; OSError always is one."""
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except mendable as error:
        sys.exit(f"{part}: {error}")
    except OSError as error:
        sys.exit(f"{part}: {plain(error)}")


def plain(error: OSError) -> str:
    """What is wrong with which file."""
    what = error.strerror or str(error)
    return f"{error.filename}: {what}." if error.filename is not None else f"{what}."
