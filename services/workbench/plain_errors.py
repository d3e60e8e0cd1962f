"""How the commands of both workshops fail: what the user can mend is said in one sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from services.inference.model_files import ModelLoadError
from shared.commands import plain


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
