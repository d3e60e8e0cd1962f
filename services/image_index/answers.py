"""What the store found, as the wire says it: which labels of each hit match, and why there is not more."""

from collections.abc import Collection, Mapping

from services.image_index.ranking.query import Query
from services.image_index.store.contract import Found, Hit
from shared.labels import LABELS, LabelName
from shared.schemas.evidence import Basis
from shared.schemas.images import ImageRecord
from shared.schemas.search import IndexHit, SearchResult
from shared.schemas.system import ModelDetails, ModelInfo


def search_result(
    found: Found,
    query: Query,
    sought: Collection[LabelName],
    thresholds: Mapping[LabelName, float],
    model: ModelDetails,
) -> SearchResult:
    """`sought`: the labels that the query asks for. `thresholds`: from which probability on a hit shows a label."""
    return SearchResult(
        hits=[
            _hit(rank, hit, query, sought, thresholds)
            for rank, hit in enumerate(found.hits, start=query.options.offset + 1)
        ],
        reason=_reason(found, query),
        ties_at_cutoff=found.ties_at_cutoff,
        candidates=found.candidates,
        excluded=found.excluded,
        index=found.info,
        model=ModelInfo(**{name: getattr(model, name) for name in ModelInfo.model_fields}),
    )


def _hit(
    rank: int, hit: Hit, query: Query, sought: Collection[LabelName], thresholds: Mapping[LabelName, float]
) -> IndexHit:
    record, probabilities = hit.record, hit.probabilities
    shown = [name for name in LABELS if probabilities[name] >= thresholds[name]]
    return IndexHit(
        rank=rank,
        image_id=record.image_id,
        score=hit.score,
        exact_probability=hit.exact,
        expected_overlap=hit.overlap,
        merged=hit.merged,
        probabilities=probabilities,
        basis=_basis(record, query),
        image_probabilities=record.probabilities,
        report=record.report,
        report_disagrees=hit.disagreements is not None,
        disagreements=hit.disagreements or [],
        matched=[name for name in shown if name in sought],
        missed=[name for name in LABELS if name in sought and name not in shown],
        extra=[name for name in shown if name not in sought],
        metadata=record.metadata,
        pictured=record.pictured,
    )


def _basis(record: ImageRecord, query: Query) -> Basis:
    """By what the image was ranked."""
    if record.report is None or query.options.evidence == "image":
        return "image"
    return "report" if query.only_reports_know else "both"


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
        (query.only_reports_know and found.candidates == 0, _only_reports(query, "no image that passes the filters")),
        (
            options.filters.asks_for_dates and not found.dated,
            "No image has a study date: they are kept of DICOM files that come while CHEX_KEEP_STUDY_DATE is set.",
        ),
        (found.candidates == 0, f"No image passes the filters{unasked}."),
        (
            nothing and options.min_overlap is not None,
            f"No sufficiently similar case: no image is expected to overlap with the query by {options.min_overlap}.",
        ),
        (nothing and options.min_score is not None, "No image reaches min_score."),
        (options.min_overlap is not None, "No more images are sufficiently similar."),
        (options.min_score is not None, "No more images reach min_score."),
        (options.merge_duplicates, "There is no further picture to show."),
        (options.group_by != "image", f"There is no further {options.group_by} to show."),
        (query.only_reports_know, _only_reports(query, "no further image")),
        (found.candidates < found.info.size, f"No more images pass the filters{unasked}."),
    )
    return next((reason for holds, reason in reasons if holds), "The index holds no more images.")


def _only_reports(query: Query, none: str) -> str:
    if query.options.evidence == "report":
        return f"Images are to be known by their reports, and {none} has one."
    asked = [name for name, weight in zip(LABELS, query.weights.tolist(), strict=True) if weight > 0]
    unproven = f"What a picture shows of {', '.join(asked)} is unproven on patients and counts for nothing"
    if query.options.evidence == "image":
        return f"{unproven}: without reports (evidence) there is nothing to find such images by."
    return f"{unproven}, and {none} has a report."
