"""The reports that came with judged images, as a reader of texts labelled them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.reader import of_a_share
from services.image_index.evaluation.retrieval.reports import PATHS
from services.image_index.ingest.predictions.table import PATH, BadLine
from services.image_index.ingest.report_labels.named_by import NamedBy
from services.image_index.ingest.report_labels.table import ReportTable
from services.image_index.patient_keys import PatientKeys
from services.image_index.ranking.prior import LabelSetPrior
from shared.image_ids import image_id_of
from shared.labels import LABELS
from shared.tables import open_table

_SEED = 20_260_101


@dataclass(frozen=True)
class Matched:
    """`unknown`: reports of images that are not judged; `faulty`: lines that hold no report, with the first reason."""

    predictions: Predictions
    reported: int
    unknown: int
    faulty: int
    reason: str | None


def with_reports(predictions: Predictions, table: Path, prior: LabelSetPrior, share: float = 1.0) -> Matched:
    """Rows are matched by the path of the picture. With a `share` below 1, only so many of the patients, drawn always
    the same, keep their reports.

    Raises TableUnusable; ValueError where no report belongs to any image.
    """
    place = {image_id_of(path): row for row, path in enumerate(predictions.paths)}
    reports = np.full((len(predictions), len(LABELS)), np.nan, dtype=np.float16)
    unknown, faulty = 0, list[BadLine]()
    for line in ReportTable(table, NamedBy(column=_column(table)), None, PatientKeys(b""), prior.base_rates).lines():
        if isinstance(line, BadLine):
            faulty.append(line)
        elif line.target.key in place:
            reports[place[line.target.key]] = line.report.evidence
        else:
            unknown += 1
    if np.isnan(reports).all():
        raise ValueError(f"{table.name} holds no report of any of the images")
    kept = of_a_share(reports, predictions.patients, share, np.random.default_rng(_SEED))
    return Matched(
        replace(predictions, reports=kept),
        reported=int((~np.isnan(kept).any(axis=1)).sum()),
        unknown=unknown,
        faulty=len(faulty),
        reason=f"line {faulty[0].number}: {faulty[0].reason}" if faulty else None,
    )


def _column(table: Path) -> str:
    with open_table(table) as lines:
        header = next(lines, [])
    return next((name for name in (PATH, *PATHS) if name in header), PATH)
