"""What reports add to simulated pictures, as a table of this folder's README."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval import honest
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.reader import of_a_share, simulated_reports
from services.image_index.evaluation.retrieval.scorers import BY_ONE_ALONE, scorers
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.evaluation.retrieval.tables_rows import (
    COLUMNS,
    FIRST_SEED,
    IMAGES,
    QUERIES,
    Figures,
    K,
    head,
    means_row,
)
from services.image_index.ranking.prior import LabelSetPrior
from shared.schemas.search import DEFAULT_RANKING

AUROCS = (0.6, 0.75, 0.9)
READERS = (0.9, 0.95, 1.0)
_HALF = 0.5
PICTURES, REPORTS = BY_ONE_ALONE


def with_reports(
    prior: LabelSetPrior, galleries: int, on_line: Callable[[str], None] = lambda _line: None
) -> list[str]:
    """The default ranking of pictures alone, of reports alone, of both, and of both where half have a report."""
    lines = head("pictures' AUROC, reader, known by")
    for auroc in AUROCS:
        for reader in READERS:
            on_line(f"{auroc}, reader {reader}")
            found = [_judged(prior, auroc, reader, seed) for seed in range(FIRST_SEED, FIRST_SEED + galleries)]
            for name in found[0]:
                if name != "pictures" or reader == READERS[0]:
                    told = f"{auroc}, {name}" if name == "pictures" else f"{auroc}, {reader}, {name}"
                    lines.append(means_row(told, np.stack([one[name] for one in found])))
    return [*lines, ""]


def _judged(prior: LabelSetPrior, auroc: float, reader: float, seed: int) -> dict[str, Figures]:
    rng = np.random.default_rng(seed)
    asked = rng.choice(IMAGES, QUERIES, replace=False)
    pictures = simulate(prior, IMAGES, auroc, seed=seed)
    reports = simulated_reports(pictures.truth, reader, prior.base_rates, rng)
    half = of_a_share(reports, pictures.patients, _HALF, rng)
    whole = dict(_figures(replace(pictures, reports=reports), prior, asked))
    return {
        "pictures": whole[PICTURES],
        "reports": whole[REPORTS],
        "both": whole[DEFAULT_RANKING],
        "both, half of the patients have reports": dict(_figures(replace(pictures, reports=half), prior, asked))[
            DEFAULT_RANKING
        ],
    }


def _figures(gallery: Predictions, prior: LabelSetPrior, asked: NDArray[np.intp]) -> Iterator[tuple[str, Figures]]:
    judged = scorers(gallery, prior, [DEFAULT_RANKING])
    for name in (DEFAULT_RANKING, *BY_ONE_ALONE):
        yield name, honest.judge(gallery, judged[name], K, asked).figures.mean(axis=0)[: len(COLUMNS)]
