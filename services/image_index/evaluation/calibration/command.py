"""The command that learns from a site's own reports how far its encoder is to be believed. It needs no torch."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.image_index.evaluation.calibration.cases import FOLDS, Cases, cases_of
from services.image_index.evaluation.calibration.compare import STEPS, Change, Comparison
from services.image_index.evaluation.calibration.cross_fit import CrossFit
from services.image_index.evaluation.calibration.show import show
from services.image_index.parts import open_encoder, open_prior, open_reported
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.site_fit import SiteFit, write_fit
from services.image_index.ranking.trust import Fit, Trust
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.reported import ReportedImages
from shared.environment import read_environment
from shared.labels import LABELS
from shared.progress import OnProgress, shown_progress

_WIDTH = 120


class FitLoses(Exception):
    """The fit was not written; the message says why."""


@dataclass
class _Steps:
    done: int = 0
    failed: int = 0


def calibrate(
    *,
    data_dir: Annotated[Path | None, typer.Option(help="In place of CHEX_DATA_DIR.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the fit would change, and write nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write the fit even if it loses, or gains nothing.")] = False,
) -> None:
    """Learn from the reports of indexed images how far the encoder is to be believed; judged on patients held out.

    The fit is written beside the index, and counts when the service is started again. A running service is not
    disturbed.
    """
    settings = read_environment(ImageIndexSettings, "image-index")
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    console = Console(highlight=False)
    encoder, prior = open_encoder(settings), open_prior(settings)
    weights_sha256 = encoder.info.weights_sha256
    found = open_reported(settings, weights_sha256)
    cases = cases_of(found)
    console.print(_what_there_is(found, cases))
    trust = Trust(encoder.calibrated, tuple(encoder.proven.tolist()))
    with shown_progress(console, FOLDS + 1 + STEPS, "Calibrating", "steps") as progress:
        learned, retrieval, losses = learn(cases, prior, trust, progress)
    fit = _site_fit(learned, cases, found, weights_sha256, prior)
    show(Console(width=max(console.width, _WIDTH), highlight=False), fit, retrieval, losses)
    judged = [*(change for changes in retrieval.values() for change in changes), losses[0]]
    if dry_run:
        console.print("Nothing was written.")
        return
    if not force:
        _refuse_unless_better(judged)
    console.print(f"Written: {write_fit(settings.index_folder, fit)}. It counts when the service is started again.")


def learn(
    cases: Cases, prior: LabelSetPrior, trust: Trust, progress: OnProgress
) -> tuple[Fit, dict[str, list[Change]], list[Change]]:
    """The fit of all cases, and what those without a part of them change there: in retrieval and in log-loss."""
    steps, fits = _Steps(), CrossFit(cases)

    def step() -> None:
        steps.done += 1
        progress(steps)

    for fold in range(FOLDS):
        fits.without(fold)
        step()
    learned = fits.of_all()
    step()
    comparison = Comparison(cases, fits, prior, trust)
    return learned, comparison.retrieval(step), comparison.log_loss()


def _what_there_is(found: ReportedImages, cases: Cases) -> str:
    all_images, patients = len(found.patients), len(set(found.patients))
    said = f"{all_images:,} images with a report, of {patients:,} patients"
    if len(cases) < all_images:
        said += f"; {len(cases):,} of {cases.patient_count:,} patients are learned from"
    return f"{said}."


def _refuse_unless_better(changes: list[Change]) -> None:
    lost = [one.figure for one in changes if one.is_loss]
    if lost:
        raise FitLoses(f"The fit loses in {', '.join(lost)}: it was not written. --force writes it all the same.")
    if not any(one.is_gain for one in changes):
        raise FitLoses("The fit gains nothing beyond chance: it was not written. --force writes it all the same.")


def _site_fit(fit: Fit, cases: Cases, found: ReportedImages, weights_sha256: str, prior: LabelSetPrior) -> SiteFit:
    slopes, intercepts, rates = (dict(zip(LABELS, one, strict=True)) for one in (fit.slopes, fit.intercepts, fit.rates))
    return SiteFit(
        weights_sha256=weights_sha256,
        prior_sha256=prior.digest,
        text_models=dict(found.text_models),
        images=len(cases),
        patients=cases.patient_count,
        made=datetime.now(UTC).replace(microsecond=0),
        slopes=slopes,
        intercepts=intercepts,
        rates=rates,
        reports=fit.reports,
    )
