"""The story of the whole system: impression -> labels -> query weights -> ranked images."""

from gateway.answers import gateway_answer, ranking
from gateway.links import Links
from gateway.timings import Timings
from gateway.upstream.concurrency import each
from gateway.upstream.services import ImageIndexClient, TextClassifierClient
from shared.deadline import Deadline
from shared.labels import LabelName, State
from shared.schemas.retrieve import Retrieval, RetrieveRequest, RetrieveResponse
from shared.schemas.search import SearchOptions, SearchRequest, SearchResult
from shared.schemas.text import Classification, ClassifyRequest, LabelResults

SEARCHES_AT_ONCE = 8
NONE_POSITIVE = (
    "The impression holds no positive finding (none present, and none uncertain that uncertain_weight lets count)"
)
NONE_STATED = "The impression states none of the 14 observations"
NONE_READ = (
    "The text has no section that says what is seen (only history, indication, comparison, technique and the like), so "
    "that nothing of it was read"
)
NOT_ENGLISH = "The impression, or a passage of it, seems not to be in English (language: {}), and only English is read"


async def retrieve(
    request: RetrieveRequest,
    classifier: TextClassifierClient,
    index: ImageIndexClient,
    links: Links,
    deadline: Deadline,
) -> RetrieveResponse:
    """One result for each impression, in order. What classifying takes of the deadline is gone for searching."""
    timings = Timings()
    options = {name: getattr(request, name) for name in SearchOptions.model_fields}

    with timings.measure("classify"):
        classify = ClassifyRequest(
            impressions=request.texts(), evidence=request.spans, strict_language=request.strict_language
        )
        classified = await classifier.classify(classify, deadline)
    queries = [query_weights(result.labels, request.uncertain_weight) for result in classified.results]

    async def search(query: dict[LabelName, float]) -> SearchResult:
        return await index.search(SearchRequest(labels=query, **options), deadline)

    with timings.measure("search"):
        found = await each(queries, search, at_once=SEARCHES_AT_ONCE)

    results = [
        _retrieval(classification, query, result, links)
        for classification, query, result in zip(classified.results, queries, found, strict=True)
    ]
    return RetrieveResponse(**gateway_answer(found, timings, text_model=classified.model), results=results)


def query_weights(labels: LabelResults, uncertain_weight: float) -> dict[LabelName, float]:
    """Present counts 1 and uncertain `uncertain_weight`; labels that weigh nothing are left out."""
    weights = {State.PRESENT: 1.0, State.UNCERTAIN: uncertain_weight}
    query = {name: weights.get(result.state, 0.0) for name, result in labels.items()}
    return {name: weight for name, weight in query.items() if weight > 0}


def _retrieval(
    classification: Classification, query: dict[LabelName, float], result: SearchResult, links: Links
) -> Retrieval:
    ranked = dict(ranking(result, links))
    if not query:
        ranked["reason"] = _why_nothing_is_sought(classification)
    return Retrieval(
        labels=classification.labels,
        warnings=classification.warnings,
        sections=classification.sections,
        query=query,
        **ranked,
    )


def _why_nothing_is_sought(classification: Classification) -> str:
    languages = {warning.code: warning.language for warning in classification.warnings}
    reason = NONE_STATED if "nothing_stated" in languages else NONE_POSITIVE
    if classification.sections and not any(section.read for section in classification.sections):
        reason = NONE_READ
    if "not_english" in languages:
        reason = f"{NOT_ENGLISH.format(languages['not_english'])}. {reason}"
    return f"{reason}, so there is nothing to rank images by."
