"""What one transaction does to the index: rows written, and what must change in memory once it is committed."""

import sqlite3
from collections.abc import Sequence

from services.image_index.store.embedded import database
from services.image_index.store.new_image import NewImage, PutOutcome
from services.image_index.store.row import CHECKSUM_SPACE, Change, Row, digest, make_row


class Transaction:
    """Begun and committed by the caller. Every image written or deleted is one step of the generation."""

    def __init__(self, connection: sqlite3.Connection, encoder: int, generation: int, checksum: int) -> None:
        self._connection = connection
        self._encoder = encoder
        self.generation = generation
        self.checksum = checksum
        self.changes: list[Change] = []

    def put(self, images: Sequence[NewImage], *, replace: bool) -> list[PutOutcome]:
        return [self._put(image, replace) for image in images]

    def _put(self, image: NewImage, replace: bool) -> PutOutcome:
        before = database.row(self._connection, image.image_id)
        if before is not None and not replace:
            stored = database.content_sha256(self._connection, image.image_id)
            return PutOutcome.UNCHANGED if stored == image.content_sha256 else PutOutcome.CONFLICT
        self.generation += 1
        database.write(self._connection, image, self._encoder, self.generation)
        row = make_row(image.image_id, image.probabilities, image.metadata, self.generation)
        self._note(image.image_id, before, row)
        return PutOutcome.CREATED if before is None else PutOutcome.REPLACED

    def delete(self, image_id: str) -> bool:
        before = database.row(self._connection, image_id)
        if before is None:
            return False
        self.generation += 1
        database.delete(self._connection, image_id)
        self._note(image_id, before, None)
        return True

    def _note(self, image_id: str, before: Row | None, after: Row | None) -> None:
        self.checksum += (digest(after) if after else 0) - (digest(before) if before else 0)
        self.checksum %= CHECKSUM_SPACE
        self.changes.append(Change(image_id, after))
