"""`retrieval-tables`: what the README of this folder says in figures, measured again."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from services.image_index.evaluation.retrieval import tables
from services.image_index.evaluation.retrieval.predict import predict
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.evaluation.retrieval.tables_of_reports import with_reports
from services.image_index.examples.phantoms.gallery import write_gallery
from services.image_index.ranking.prior import LabelSetPrior, count_label_sets, shipped_prior
from services.image_index.settings import BUNDLED_MODEL
from services.workbench.plain_errors import plain_errors

README = Path(__file__).parent / "README.md"
_PHANTOM_SIDE = 256
_DEEP = 50
_PHANTOM_SEED = 77_000_001  # training and the demonstration gallery draw theirs from other seeds
_NEXT_SEED = 1_000_000  # further: where the next gallery's phantoms begin
_HALVES = 24
_console = Console()


def retrieval_tables(
    *,
    nih: Annotated[Path | None, typer.Option(help="NIH's table of pictures; its tables stay if not given.")] = None,
    galleries: Annotated[
        int, typer.Option(min=0, help="Simulated galleries a line, for which weights do not matter; 0 keeps theirs.")
    ] = 0,
    phantoms: Annotated[int, typer.Option(min=2, help="How many phantoms are drawn for a gallery.")] = 500,
    phantom_galleries: Annotated[int, typer.Option(min=2, help="How many galleries of phantoms.")] = 8,
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    readme: Annotated[Path, typer.Option(help="Text whose marked tables are replaced.")] = README,
) -> None:
    """Measure the retrieval README's tables again: after a change of the bundled weights, or of the default ranking."""
    with plain_errors("image-index"):
        prior, sections = shipped_prior(), {}
        if galleries:
            with _console.status("Simulating") as status:
                sections["simulated"] = tables.simulated(prior, galleries, status.update)
                sections["reports"] = with_reports(prior, galleries, status.update)
        with _console.status("Drawing and encoding"):
            drawn = [_phantoms(model, phantoms, number) for number in range(phantom_galleries)]
            sections["phantoms"] = tables.judged_galleries(drawn, prior)
            pictured = {"phantoms": drawn[0]}
            if nih:
                pictured["nih"] = real = predict(model, nih, nih.parent, held_out=True)
                sections["nih"] = [*tables.judged_predictions(real, prior), ""]
                sections["nih"] += [*tables.judged_predictions(real, prior, _DEEP), ""]
                sections["nih"] += tables.judged_galleries(tables.halves(real, _HALVES), prior)
        sections["promises"] = tables.promised(_promising(pictured, prior, tables.PROMISING))
        text = readme.read_text(encoding="utf-8")
        for name, lines in sections.items():
            text = tables.put_in_place(text, name, lines)
        readme.write_text(text, encoding="utf-8")
    _console.print(f"Measured again: {', '.join(sections)}: {readme}")


def _phantoms(model: Path, count: int, number: int) -> Predictions:
    with TemporaryDirectory() as folder:
        table = write_gallery(Path(folder), count, _PHANTOM_SEED + number * _NEXT_SEED, _PHANTOM_SIDE)
        return predict(model, table, table.parent)


def _promising(
    pictured: dict[str, Predictions], prior: LabelSetPrior, images: int
) -> list[tuple[str, Predictions, LabelSetPrior]]:
    judged = [
        (f"simulated, {one} (AUROC 0.75)", simulate(prior, images, 0.75, calibration=one, seed=8), prior)
        for one in ("calibrated", "distorted", "overconfident")
    ]
    for name, predictions in pictured.items():
        judged.append((name, predictions, prior))
        own = count_label_sets(predictions.truth[::2].tolist())
        judged.append((f"{name}, prior of every second of its reports", predictions, own))
    return judged
