"""What an ingest would do, found out without decoding a picture or writing a byte."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from services.image_index.ingest.layouts import Entry
from services.image_index.ingest.prepare import read_file, sha256_of
from services.image_index.ingest.tally import CONFLICT, NO_ID, Failure, OnProgress, StoredSha256, Tally, no_chest
from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from shared.errors import ServiceError

SAME_ID = "An earlier file has the same id: this one would be refused, unless it is the same file."


def dry_run(
    entries: Iterable[Entry],
    stored_sha256: StoredSha256,
    on_progress: OnProgress = lambda _tally: None,
    *,
    limits: Limits,
    workers: int,
    replace: bool = False,
    accept_any: bool = False,
) -> Tally:
    """The tally of an ingest to come: `indexed` counts what passes the checks that need no decoding."""
    tally = Tally()
    seen: set[bytes] = set()
    for entry, checked in _ahead(
        entries, lambda entry: _check(entry, stored_sha256, limits, replace, accept_any), workers
    ):
        name = hashlib.blake2b(entry.image_id.encode(), digest_size=8).digest()
        if checked is None:
            tally.unchanged += 1
        elif checked or name in seen:
            tally.failures.append(Failure(entry, checked or SAME_ID))
        else:
            tally.indexed += 1
            seen.add(name)
        on_progress(tally)
    return tally


def _check(entry: Entry, stored_sha256: StoredSha256, limits: Limits, replace: bool, accept_any: bool) -> str | None:
    """Why it would fail, empty where it would be indexed, None where it is already."""
    if entry.refused or not entry.image_id:
        return entry.refused or NO_ID
    try:
        data = read_file(entry.file, limits)
        stored = None if replace else stored_sha256(entry.image_id)
        if stored is not None:
            return None if stored == sha256_of(data) else CONFLICT
        other_body_part = check_header(data, limits)
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    except ServiceError as error:
        return error.detail
    return no_chest(other_body_part) if other_body_part and not accept_any else ""


def _ahead(
    entries: Iterable[Entry], check: Callable[[Entry], str | None], workers: int
) -> Iterator[tuple[Entry, str | None]]:
    checking: deque[tuple[Entry, Future[str | None]]] = deque()
    with ThreadPoolExecutor(workers) as threads:
        for entry in entries:
            checking.append((entry, threads.submit(check, entry)))
            if len(checking) > 4 * workers:
                yield _told(checking.popleft())
        yield from map(_told, checking)


def _told(checking: tuple[Entry, Future[str | None]]) -> tuple[Entry, str | None]:
    entry, future = checking
    return entry, future.result()
