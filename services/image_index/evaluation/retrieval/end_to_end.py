"""The whole chain judged: impressions through a running gateway, the same figures as for label queries.

The table names indexed images with their impressions and true labels. Each impression searches the others' images; an
image that the gateway did not return ties with all others that it did not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval import honest
from services.image_index.evaluation.retrieval.intervals import intervals
from services.image_index.evaluation.retrieval.reports import Reports
from services.image_index.evaluation.retrieval.scorers import BINARY_COSINE, overlaps
from shared.labels import LABELS
from shared.schemas.search import DEFAULT_RANKING, MAX_K, RankingName

Search = Callable[[int, dict[str, Any]], dict[str, Any]]  # number of a report, options -> ranking


def judge_gateway(
    reports: Reports,
    gateway: httpx.Client,
    names: list[RankingName],
    *,
    k: int,
    on_query: Callable[[str, int], None] = lambda _name, _done: None,
) -> dict[str, Any]:
    """Every ranking, with the impressions and, for comparison, with the true labels in their place.

    Raises ValueError where the table lacks what is needed, httpx.HTTPError where the gateway fails.
    """
    if reports.truth is None or not reports.paths or not reports.texts:
        raise ValueError("the table must name pictures, their 14 labels and their impressions")
    run = _Run(reports, reports.truth, gateway, k)
    options: dict[str, dict[str, Any]] = {BINARY_COSINE: {"ranking": "cosine", "binarize": True}}
    options |= {name: {"ranking": name} for name in names}
    rankings = {name: run.judge(run.by_impression, option, partial(on_query, name)) for name, option in options.items()}
    given = f"{DEFAULT_RANKING}, labels given"
    rankings[given] = run.judge(run.by_labels, {"ranking": DEFAULT_RANKING}, partial(on_query, given))
    return {
        "protocol": "end to end",
        "k": k,
        "images": len(reports.paths),
        "label_sets": len(np.unique(reports.truth, axis=0)),
        "default_ranking": DEFAULT_RANKING,
        "rankings": rankings,
        "floor": run.judge(lambda _number, _options: {"hits": []}, {}, lambda _done: None),
        "ceiling": run.judge(run.by_truth, {}, lambda _done: None),
    }


class _Run:
    def __init__(self, reports: Reports, truth: NDArray[np.int8], gateway: httpx.Client, k: int) -> None:
        self._reports, self._truth, self._gateway, self._k = reports, truth, gateway, k
        self._ids = reports.image_ids
        self._place = {image_id: place for place, image_id in enumerate(self._ids)}
        self._patients = np.array(reports.patients, dtype=np.str_)
        self._depth = min(MAX_K, max(len(self._ids), k))

    def judge(self, search: Search, options: dict[str, Any], on_query: Callable[[int], None]) -> dict[str, Any]:
        figures = np.zeros((len(self._ids), len(honest.FIGURES)))
        for number in range(len(self._ids)):
            figures[number] = self._figures(number, search(number, options))
            on_query(number + 1)
        bounds = intervals(figures, self._patients)
        return {
            **honest.Judged(figures).means,
            "intervals": {"patient": dict(zip(honest.FIGURES, bounds.T.tolist(), strict=True))},
        }

    def _figures(self, number: int, ranking: dict[str, Any]) -> list[float]:
        scores = np.full(len(self._ids), -np.inf)
        for hit in ranking["hits"]:
            if hit["image_id"] in self._place:
                scores[self._place[hit["image_id"]]] = hit["score"]
        others = np.flatnonzero(self._patients != self._patients[number])
        order = others[np.argsort(-scores[others], kind="stable")]
        query = self._truth[number].astype(np.float64)
        relevant = (self._truth[order] == self._truth[number]).all(axis=1).astype(np.float64)
        return honest.figures_of(scores[order], relevant, overlaps(query, self._truth[order]), self._k)

    def by_impression(self, number: int, options: dict[str, Any]) -> dict[str, Any]:
        body = {"impression": self._reports.texts[number], **self._common(number), **options}
        results: list[dict[str, Any]] = self._post("/v1/retrieve", body)["results"]
        return results[0]

    def by_labels(self, number: int, options: dict[str, Any]) -> dict[str, Any]:
        names = [label for label, present in zip(LABELS, self._truth[number], strict=True) if present]
        result: dict[str, Any] = self._post("/v1/search", {"labels": names, **self._common(number), **options})[
            "result"
        ]
        return result

    def by_truth(self, number: int, _options: dict[str, Any]) -> dict[str, Any]:
        scores = overlaps(self._truth[number].astype(np.float64), self._truth)
        return {"hits": [{"image_id": one, "score": float(s)} for one, s in zip(self._ids, scores, strict=True)]}

    def _common(self, number: int) -> dict[str, Any]:
        own = [self._ids[place] for place in np.flatnonzero(self._patients == self._patients[number])]
        return {"k": self._depth, "filters": {"excluded_image_ids": own, "include_laterals": True}}

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._gateway.post(path, json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer
