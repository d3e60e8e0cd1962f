"""How the commands of both workshops fail: what the user can mend is said in one sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from services.inference.model_files import ModelLoadError
from shared.commands import plain

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


@contextmanager
def plain_errors(service: str) -> Iterator[None]:
    """Around the work of a command."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        sys.exit(f"{service}: the gateway answered {error.response.status_code}.")
    except httpx.HTTPError as error:
        sys.exit(f"{service}: the gateway does not answer: {error}")
    except (ValueError, ModelLoadError) as error:
        sys.exit(f"{service}: {error}")
    except OSError as error:
        sys.exit(f"{service}: {plain(error)}")
