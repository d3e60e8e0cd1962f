"""The command around an import of predictions."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from services.image_index.encoding.imported import ImportedPredictions
from services.image_index.ingest.predictions.load import Checked, check, import_rows, weights_named
from services.image_index.ingest.predictions.table import PredictionTable
from services.image_index.parts import open_keys, open_store
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.folder import make_writable
from services.image_index.store.new_image import PutOutcome


@dataclass(frozen=True)
class ModelNamed:
    """Whose predictions they are: a name; or the hash of the weights of an encoder that will serve the index, and then
    takes images too; or nobody's, and then the table's own hash stands for them.
    """

    name: str | None = None
    weights_sha256: str | None = None

    def imported(self, table: PredictionTable, checked: Checked) -> ImportedPredictions:
        weights_sha256 = self.weights_sha256 or (weights_named(self.name) if self.name else table.sha256())
        return ImportedPredictions(
            model_name=self.name or f"predictions {weights_sha256[:12]}",
            weights_sha256=weights_sha256,
            thresholds=checked.thresholds,
        )


def import_predictions(
    settings: ImageIndexSettings, file: Path, *, model: ModelNamed, replace: bool, dry_run: bool
) -> None:
    """Exits with 1 where the table has a faulty line: then nothing was changed; or where lines conflict.

    Raises TableUnusable, OSError, ServiceError, StoreUnusable or PatientKeyUnusable where nothing could be imported.
    """
    console = Console(highlight=False)
    table = PredictionTable(file)
    checked = check(table)
    _refuse_bad_lines(file, checked)
    if dry_run:
        console.print(f"Dry run, nothing was written: {checked.rows} images would be imported.")
        return
    conflicts = _write(settings, table, checked, console, model, replace=replace)
    if conflicts:
        sys.exit(
            f"image-index: {conflicts} images are stored with other probabilities. --replace puts these in their place."
        )


def _refuse_bad_lines(file: Path, checked: Checked) -> None:
    if checked.bad_lines:
        shown = [f"{file}, line {line.number}: {line.reason}" for line in checked.bad]
        if checked.bad_lines > len(shown):
            shown.append("…")
        sys.exit("\n".join([*shown, f"image-index: {checked.bad_lines} faulty lines. Nothing was imported."]))
    if not checked.rows:
        sys.exit(f"image-index: {file} holds no image.")


def _write(
    settings: ImageIndexSettings,
    table: PredictionTable,
    checked: Checked,
    console: Console,
    model: ModelNamed,
    *,
    replace: bool,
) -> int:
    """How many lines conflict with what is stored."""
    imported = model.imported(table, checked)
    started = time.monotonic()
    make_writable(settings.index_folder)
    with open_store(settings, imported.weights_sha256) as store:
        keys = open_keys(settings)
        if model.weights_sha256 is None:
            imported.note_in(settings.index_folder)
        with console.status(f"Importing {checked.rows:,} images"):
            outcomes = import_rows(table, store, keys, imported.weights_sha256, replace=replace)
        size = store.info().size
    elapsed_s = time.monotonic() - started
    written = outcomes[PutOutcome.CREATED] + outcomes[PutOutcome.REPLACED]
    console.print(
        f"{written} imported in {elapsed_s:.1f} s, {outcomes[PutOutcome.UNCHANGED]} were there already. "
        f"The index holds {size} images.",
        soft_wrap=True,
    )
    return outcomes[PutOutcome.CONFLICT]
