"""What the store found, as the wire says it: which labels of each hit match, and why there is not more."""

from collections.abc import Collection

from services.image_index.ranking.query import Query
from services.image_index.store.contract import Found, Hit
from shared.labels import LABELS, LabelName
from shared.schemas.search import IndexHit, SearchResult
from shared.schemas.system import ModelDetails, ModelInfo


def search_result(found: Found, query: Query, sought: Collection[LabelName], model: ModelDetails) -> SearchResult:
    """`sought`: the labels that the query asks for."""
    return SearchResult(
        hits=[_hit(rank, hit, sought, model) for rank, hit in enumerate(found.hits, start=query.options.offset + 1)],
        reason=_reason(found, query),
        ties_at_cutoff=found.ties_at_cutoff,
        candidates=found.candidates,
        excluded=found.excluded,
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
        merged=hit.merged,
        probabilities=record.probabilities,
        matched=[name for name in shown if name in sought],
        missed=[name for name in LABELS if name in sought and name not in shown],
        extra=[name for name in shown if name not in sought],
        metadata=record.metadata,
        pictured=record.pictured,
    )


def _reason(found: Found, query: Query) -> str | None:
    """Why there are fewer hits than asked for: the first that holds."""
    options = query.options
    if len(found.hits) == options.k:
        return None
    nothing = not found.hits and not options.offset
    unasked = " (lateral views are left out unless asked for)" if options.filters.leaves_out_laterals else ""
    reasons = (
        (not query.weights.any(), "The query holds no positive finding: there is nothing to be similar to."),
        (found.info.size == 0, "The index is empty."),
        (found.candidates == 0, f"No image passes the filters{unasked}."),
        (
            nothing and options.min_overlap is not None,
            f"No sufficiently similar case: no image is expected to overlap with the query by {options.min_overlap}.",
        ),
        (nothing and options.min_score is not None, "No image reaches min_score."),
        (options.min_overlap is not None, "No more images are sufficiently similar."),
        (options.min_score is not None, "No more images reach min_score."),
        (options.group_by != "image", f"There is no further {options.group_by} to show."),
        (found.candidates < found.info.size, f"No more images pass the filters{unasked}."),
    )
    return next((reason for holds, reason in reasons if holds), "The index holds no more images.")
