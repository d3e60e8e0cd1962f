"""A fit and what it changes, as tables."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from services.image_index.evaluation.calibration.compare import Change
from services.image_index.ranking.site_fit import SiteFit


def show(console: Console, fit: SiteFit, retrieval: Mapping[str, Sequence[Change]], losses: Sequence[Change]) -> None:
    """Every figure is of patients that the fit behind it did not see."""
    found = Table("retrieval", "figure", "default", "fit", "gain", "95 %", title="Higher is better")
    for gallery, changes in retrieval.items():
        for change in changes:
            found.add_row(gallery, change.figure, *_cells(change))
    said = Table("label", "slope", "default", "fit", "gain", "95 %", title="Log-loss of pictures")
    for change in losses:
        said.add_row(change.figure, _slope(fit, change.figure), *_cells(change))
    console.print(found, said)
    losing = [f"{one.figure} ({gallery})" for gallery, changes in retrieval.items() for one in changes if one.is_loss]
    losing += [f"log-loss of {change.figure}" for change in losses if change.is_loss]
    console.print(f"It loses in {', '.join(losing)}." if losing else "It loses nowhere beyond chance and 1 %.")


def _cells(change: Change) -> tuple[str, str, str, str]:
    verdict = " loses" if change.is_loss else ""
    interval = f"{change.low:+.3f} to {change.high:+.3f}{verdict}"
    return f"{change.default:.3f}", f"{change.fitted:.3f}", f"{change.gain:+.3f}", interval


def _slope(fit: SiteFit, label: str) -> str:
    slopes = {str(name): slope for name, slope in fit.slopes.items()}
    return "" if label not in slopes else f"{slopes[label]:.2f}" if slopes[label] else "silent"
