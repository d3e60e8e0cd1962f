"""What the store found, as the wire says it: which labels of each hit match, and why there is not more."""

from collections.abc import Collection

from services.image_index.ranking import Query
from services.image_index.store.base import Found, Hit
from shared.labels import LABELS, LabelName
from shared.schemas.search import IndexHit, SearchResult
from shared.schemas.system import ModelDetails, ModelInfo


def search_result(found: Found, query: Query, sought: Collection[LabelName], model: ModelDetails) -> SearchResult:
    """`sought`: the labels that the query asks for."""
    return SearchResult(
        hits=[_hit(rank, hit, sought, model) for rank, hit in enumerate(found.hits, start=1)],
        reason=_reason(found, query),
        ties_at_cutoff=found.ties_at_cutoff,
        candidates=found.candidates,
        index=found.info,
        model=ModelInfo(**{name: getattr(model, name) for name in ModelInfo.model_fields}),
    )


def _hit(rank: int, hit: Hit, sought: Collection[LabelName], model: ModelDetails) -> IndexHit:
    record = hit.record
    shown = [name for name in LABELS if record.probabilities[name] >= model.thresholds[name]]
    return IndexHit(
        rank=rank,
        image_id=record.image_id,
        score=hit.score,
        exact_probability=hit.exact,
        expected_overlap=hit.overlap,
        probabilities=record.probabilities,
        matched=[name for name in shown if name in sought],
        missed=[name for name in LABELS if name in sought and name not in shown],
        extra=[name for name in shown if name not in sought],
        metadata=record.metadata,
    )


def _reason(found: Found, query: Query) -> str | None:
    if not query.weights.any():
        return "The query holds no positive finding: there is nothing to be similar to."
    if len(found.hits) == query.k:
        return None
    if found.info.size == 0:
        return "The index is empty."
    if found.candidates == 0:
        return "No image passes the filters."
    if len(found.hits) < found.candidates:
        return "No more images reach min_score." if found.hits else "No image reaches min_score."
    return (
        "No more images pass the filters." if found.candidates < found.info.size else "The index holds no more images."
    )
