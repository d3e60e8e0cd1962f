"""The commands that fill an index: from images, from what another model made of them, from what reports say."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.image_index.ingest.predictions.run import ModelNamed
from services.image_index.ingest.predictions.run import import_predictions as run_import
from services.image_index.ingest.report_labels.named_by import NamedBy
from services.image_index.ingest.report_labels.run import Importing
from services.image_index.ingest.report_labels.run import import_report_labels as run_report_labels
from services.image_index.ingest.run import Archive, Ingesting
from services.image_index.ingest.run import ingest as run_ingest
from services.image_index.settings import ImageIndexSettings
from shared.environment import read_environment
from shared.settings import Device

DataDir = Annotated[Path | None, typer.Option(help="In place of CHEX_DATA_DIR.")]
Engine = Literal["local", "ray"]


def ingest(
    *,
    images_root: Annotated[Path, typer.Option(help="Folder that the table's paths start from.")],
    csv: Annotated[
        Path | None, typer.Option(help="Table in CheXpert's, NIH's or the plain layout; without, every file is read.")
    ] = None,
    data_dir: DataDir = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Threads that decode files; with Ray, workers with an encoder each. Else one a core."),
    ] = None,
    device: Annotated[Device | None, typer.Option(help="In place of CHEX_DEVICE.")] = None,
    accept_any: Annotated[
        bool, typer.Option("--accept-any", help="Do not ask whether a picture is a chest radiograph.")
    ] = False,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Read what links below --images-root lead to outside of it.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Index again what is there, and replace it.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, from files' headers; decode and write nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what could not be indexed, and why: FILE.csv, or FILE.json with counts.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 3 if any file could not be indexed.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="This machine, or a Ray cluster whose machines see the files.")
    ] = "local",
    ray_address: Annotated[
        str | None, typer.Option(help="A running cluster's address, or auto; else one is started here.")
    ] = None,
) -> None:
    """Index many images; what is in the index already is passed over, so a stopped run is simply started again.

    Ends with status 0, though some files could not be indexed (see --strict); with 1 if none could, or nothing ran.
    """
    settings = _settings(data_dir=data_dir, device=device, chest_threshold=0.0 if accept_any else None)
    how = Ingesting(
        workers=workers,
        replace=replace,
        dry_run=dry_run,
        engine=engine,
        ray_address=ray_address,
        strict=strict,
        report=report,
    )
    run_ingest(settings, Archive(images_root, csv, limit, follow_links), how)


def import_predictions(
    file: Annotated[Path, typer.Argument(help="Table with path_to_image and prob_<label> for the 14 labels.")],
    *,
    data_dir: DataDir = None,
    model_name: Annotated[
        str | None, typer.Option(help="Whose predictions they are. Tables of one name go into one index.")
    ] = None,
    weights_sha256: Annotated[
        str | None,
        typer.Option(help="Of the encoder that made them, if it is to serve the index and take images into it."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there with other values.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, and write nothing.")] = False,
) -> None:
    """Build an index without images from a table of predictions. A table with a faulty line changes nothing."""
    if weights_sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", weights_sha256):
        raise typer.BadParameter("--weights-sha256 takes 64 hex digits, as GET /v1/model shows them.")
    run_import(
        _settings(data_dir=data_dir),
        file,
        model=ModelNamed(model_name, weights_sha256),
        replace=replace,
        dry_run=dry_run,
    )


def import_report_labels(
    file: Annotated[
        Path, typer.Argument(help="Table of labels, as `python -m services.text_classifier label` writes.")
    ],
    *,
    data_dir: DataDir = None,
    image_column: Annotated[
        str | None, typer.Option(help="Column of image ids, or of paths that they are made of. Else path_to_image.")
    ] = None,
    study_column: Annotated[str | None, typer.Option(help="Column of Study Instance UIDs.")] = None,
    accession_column: Annotated[str | None, typer.Option(help="Column of accession numbers.")] = None,
    issued_column: Annotated[
        str | None,
        typer.Option(help="Column of when each report was issued, in ISO 8601; UTC where no offset is given."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take also what was removed, or was issued before what is there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, and write nothing.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write what could not be taken, and why, and what waits: FILE.csv, or FILE.json with counts."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 3 if any line could not be taken.")] = False,
) -> None:
    """Take what many reports say as evidence of their images. A stopped run is simply started again.

    Ends with status 0, though some lines could not be taken (see --strict); with 1 if none could, or nothing ran.
    """
    if sum(column is not None for column in (image_column, study_column, accession_column)) > 1:
        raise typer.BadParameter("Give one of --image-column, --study-column and --accession-column.")
    how = Importing(
        named_by=NamedBy.of(image_column, study_column, accession_column),
        issued_column=issued_column,
        replace=replace,
        dry_run=dry_run,
        strict=strict,
        report=report,
    )
    run_report_labels(_settings(data_dir=data_dir), file, how)


def _settings(**given: Any) -> ImageIndexSettings:
    settings = read_environment(ImageIndexSettings, "image-index")
    return settings.model_copy(update={name: value for name, value in given.items() if value is not None})
