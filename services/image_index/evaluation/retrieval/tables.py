"""The tables of this folder's README, made again: they hang on the default ranking and on the bundled weights."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval import honest
from services.image_index.evaluation.retrieval.judge import evaluate
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.promises import promises
from services.image_index.evaluation.retrieval.scorers import BINARY_COSINE, CEILING, FLOOR, scorers
from services.image_index.evaluation.retrieval.simulate import Calibration, simulate
from services.image_index.evaluation.retrieval.tables_rows import (
    COLUMNS,
    FIRST_SEED,
    IMAGES,
    QUERIES,
    Figures,
    K,
    head,
    means_row,
    row,
    standard_errors,
)
from services.image_index.ranking.prior import LabelSetPrior
from shared.schemas.search import DEFAULT_RANKING, RankingName

Asked = NDArray[np.intp] | None  # the images whose label sets are the queries; None: all

RANKINGS: tuple[RankingName, ...] = get_args(RankingName)
AUROCS = (0.6, 0.7, 0.8, 0.9)
CALIBRATIONS: tuple[Calibration, ...] = ("calibrated", "overconfident", "distorted")
PROMISING = 1500  # images of the galleries whose promises are judged
_NEAR = 0.97  # of the best ranking


def simulated(prior: LabelSetPrior, galleries: int, on_line: Callable[[str], None] = lambda _line: None) -> list[str]:
    """All rankings on `galleries` simulated ones for each quality of classifier, and a sentence that sums up."""
    lines = head("classifier, ranking")
    compared: list[tuple[str, Mapping[str, Figures]]] = []
    for name, auroc, calibration in _qualities():
        on_line(name)
        judged = _judged(prior, auroc, calibration, galleries)
        shown = [ranking for ranking in judged if ranking not in {FLOOR, CEILING}]
        compared.append((name, {ranking: judged[ranking] for ranking in shown}))
        for ranking in shown:
            lines.append(means_row(f"{name}, {_styled(ranking)}", judged[ranking]))
    return [*lines, "", _summary(compared, galleries)]


def _qualities() -> Iterator[tuple[str, float, Calibration]]:
    for auroc in AUROCS:
        for calibration in CALIBRATIONS:
            yield f"{auroc} {calibration}", auroc, calibration


def _judged(prior: LabelSetPrior, auroc: float, calibration: Calibration, galleries: int) -> Mapping[str, Figures]:
    def made() -> Iterator[tuple[Predictions, Asked]]:
        for seed in range(FIRST_SEED, FIRST_SEED + galleries):
            asked = np.random.default_rng(seed).choice(IMAGES, QUERIES, replace=False)
            yield simulate(prior, IMAGES, auroc, calibration=calibration, seed=seed), asked

    return _figures(made(), prior, {FLOOR, CEILING})


def _figures(
    galleries: Iterable[tuple[Predictions, Asked]], prior: LabelSetPrior, left_out: Collection[str] = ()
) -> Mapping[str, Figures]:
    found: dict[str, list[NDArray[np.float64]]] = {}
    for gallery, asked in galleries:
        for ranking, scorer in scorers(gallery, prior, list(RANKINGS)).items():
            if ranking not in left_out:
                figures = honest.judge(gallery, scorer, K, asked).figures
                found.setdefault(ranking, []).append(figures.mean(axis=0)[: len(COLUMNS)])
    return {ranking: np.array(figures) for ranking, figures in found.items()}


def _summary(compared: Sequence[tuple[str, Mapping[str, Figures]]], galleries: int) -> str:
    beaten, near, short = 0, 0, []
    for name, judged in compared:
        ours, theirs = judged[DEFAULT_RANKING], judged[BINARY_COSINE]
        beaten += int((ours.mean(axis=0) > theirs.mean(axis=0)).sum())
        for column, figure in enumerate(COLUMNS):
            best = max(judged, key=lambda ranking: judged[ranking][:, column].mean())
            gaps = judged[best][:, column] - ours[:, column]
            mean = ours[:, column].mean()
            if mean >= _NEAR * judged[best][:, column].mean():
                near += 1
                continue
            error = 1.96 * standard_errors(gaps[:, None])[0]
            where = f" at {name}" if name else ""
            short.append(
                f"{figure.format(k=K)}{where}: `{best}` {100 * gaps.mean() / mean:+.1f} % ±{100 * error / mean:.1f}"
            )
    total = len(compared) * len(COLUMNS)
    others = f" The others, with paired intervals: {'; '.join(short)}." if short else ""
    return (
        f"Over {galleries} galleries a line, the default beats `{BINARY_COSINE}` in {beaten} of {total} figures, and "
        f"is the best or within 3 % of the best in {near}.{others}"
    )


def judged_galleries(galleries: Sequence[Predictions], prior: LabelSetPrior) -> list[str]:
    """Means over galleries of one kind, with the 95 % interval of the mean as if these were independent."""
    judged = _figures(((gallery, None) for gallery in galleries), prior)
    shown = {ranking: figures for ranking, figures in judged.items() if ranking not in {FLOOR, CEILING}}
    rows = {"random": judged[FLOOR], **shown, "true labels": judged[CEILING]}
    lines = [means_row(_styled(name), row) for name, row in rows.items()]
    return [*head("ranking"), *lines, "", _summary([("", shown)], len(galleries))]


def halves(gallery: Predictions, count: int) -> list[Predictions]:
    """Galleries of half of its patients each, drawn at random; they share images, so they are not independent."""
    patients, rng = np.unique(gallery.patients), np.random.default_rng(FIRST_SEED)
    drawn = [rng.choice(patients, len(patients) // 2, replace=False) for _ in range(count)]
    return [gallery.where(np.isin(gallery.patients, half)) for half in drawn]


def judged_predictions(predictions: Predictions, prior: LabelSetPrior, k: int = K) -> list[str]:
    """One gallery: intervals over its patients."""
    report = evaluate(predictions, prior, list(RANKINGS), k=k, protocol="honest")
    rows = {"random": report["floor"], **report["rankings"], "true labels": report["ceiling"]}
    return head("ranking", k) + [_judged_row(_styled(name), row) for name, row in rows.items()]


def _judged_row(name: str, judged: Mapping[str, Any]) -> str:
    shown = honest.FIGURES[: len(COLUMNS)]
    bounds = np.array([judged["intervals"]["patient"][figure] for figure in shown])
    return row(name, np.array([judged[figure] for figure in shown]), np.ptp(bounds, axis=1) / 2)


def promised(judged: Sequence[tuple[str, Predictions, LabelSetPrior]]) -> list[str]:
    lines = [
        "| 5 first hits of each query | exact: promised / found | error | overlap: promised / found | error |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, predictions, prior in judged:
        kept = promises(predictions, prior, K)
        cells = [
            f"{one['promised']:.3f} / {one['found']:.3f} | {one['ece']:.3f}"
            for one in map(kept.get, ("exact", "overlap"))
            if one
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def put_in_place(text: str, section: str, lines: Sequence[str]) -> str:
    """What stands between `<!-- section -->` and the next `<!-- end -->` becomes `lines`."""
    marked = re.compile(rf"(<!-- {re.escape(section)} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"there is no place marked <!-- {section} -->")
    return marked.sub(lambda found: found[1] + "\n".join(lines) + "\n", text)


def _styled(ranking: str) -> str:
    return f"**{ranking}**" if ranking == DEFAULT_RANKING else ranking
