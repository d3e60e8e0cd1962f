"""How a command fails: what the user can mend is said in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import typer

from services.inference.session import ModelLoadError
from shared.commands import plain

_NEEDS_TRAINING = "This command needs the training packages: pip install '.[train]'"


@contextmanager
def told_plainly() -> Iterator[None]:
    try:
        yield
    except ImportError as missing:
        raise typer.BadParameter(f"{_NEEDS_TRAINING} ({missing.name})") from missing
    except httpx.HTTPStatusError as error:
        raise typer.BadParameter(f"the gateway answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise typer.BadParameter(f"the gateway does not answer: {error}") from error
    except OSError as error:
        raise typer.BadParameter(plain(error)) from error
    except (ValueError, ModelLoadError) as error:
        raise typer.BadParameter(str(error)) from error
