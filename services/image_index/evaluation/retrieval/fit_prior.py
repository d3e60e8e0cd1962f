"""Counts label sets in a site's reports; where they carry no labels, the text classifier reads them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval.reports import Reports, read_reports
from services.image_index.ranking.prior import LabelSetPrior, count_label_sets
from shared.labels import LABELS, State
from shared.schemas.text import MAX_IMPRESSIONS


def prior_of_reports(
    path: Path, text_column: str, gateway: httpx.Client | None, on_read: Callable[[int], None] = lambda _done: None
) -> LabelSetPrior:
    """One report a row; uncertain counts as not present. A study with several pictures is counted once.

    Raises ValueError where there are neither labels nor a gateway to read the texts, httpx.HTTPError where it fails.
    """
    reports = read_reports(path, text_column)
    truth = reports.truth
    if truth is None:
        if gateway is None or not reports.texts:
            raise ValueError(
                f"{path.name} lacks the 14 label columns. Name a running gateway and the column of impressions, and "
                "the text classifier will read them."
            )
        truth = np.array(list(_classified(reports.texts, gateway, on_read)), dtype=np.int8)
    return count_label_sets(truth[_first_of_each_study(reports)].tolist())


def _classified(texts: Sequence[str], gateway: httpx.Client, on_read: Callable[[int], None]) -> Iterator[list[int]]:
    for start in range(0, len(texts), MAX_IMPRESSIONS):
        response = gateway.post("/v1/classify", json={"impressions": list(texts[start : start + MAX_IMPRESSIONS])})
        response.raise_for_status()
        results: list[dict[str, Any]] = response.json()["results"]
        yield from ([int(one["labels"][label]["state"] == State.PRESENT) for label in LABELS] for one in results)
        on_read(start + len(results))


def _first_of_each_study(reports: Reports) -> NDArray[np.intp]:
    """CheXpert lays a study's pictures into one folder below its patient's; other pictures are studies of their own."""
    if not reports.paths:
        return np.arange(len(reports.texts) if reports.truth is None else len(reports.truth))
    folders = [path.rpartition("/")[0] if "/study" in path else path for path in reports.paths]
    return np.sort(np.unique(folders, return_index=True)[1])
