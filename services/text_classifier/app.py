"""The text classifier over HTTP: routes only."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from prometheus_client import Counter

from services.inference.queue_metrics import QueueMetrics
from services.text_classifier.lanes import PART, Lanes
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.reading import MOST_EVIDENCE_COSTS, Reading
from services.text_classifier.settings import TextClassifierSettings
from shared.errors import DeadlineExceeded, InferenceFailed, InvalidInput, Overloaded, Unavailable
from shared.schemas.system import Check, ModelDetails
from shared.schemas.text import ClassifyRequest, ClassifyResponse
from shared.telemetry import measure
from shared.web.app import new_app
from shared.web.documented import documented
from shared.web.metrics import tell_model
from shared.web.service_token import guard_by

DESCRIPTION = """Reads the impression of a chest X-ray report and says, for each of the 14 CheXpert observations,
whether it is present, uncertain, absent or not mentioned."""

READ_AT_ONCE = 4000
"""Characters that are cut into tokens sooner (1 ms) than a thread is asked to."""


def create_app(settings: TextClassifierSettings, classifier: TextClassifier | None = None) -> FastAPI:
    """Loads the model named by the settings unless given one. Raises ModelLoadError."""
    model = classifier or TextClassifier.open(settings.text_model, device=settings.device, threads=settings.threads)
    lanes = Lanes(model, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with lanes.quick, lanes.slow:
            yield

    async def readiness() -> list[Check]:
        return [Check(part=PART, ready=True)]

    app = new_app(
        title="CheXRetriever text classifier",
        description=DESCRIPTION,
        readiness=readiness,
        lifespan=lifespan,
        max_body_bytes=settings.max_json_bytes,
        max_json_bytes=settings.max_json_bytes,
        time_limit_s=lambda _scope: settings.request_timeout_s,
        guard=guard_by(settings),
    )
    tell_model(app.state.metrics, model.info)
    QueueMetrics(app.state.metrics, {"quick": lanes.quick, "slow": lanes.slow})
    classified = Counter("chex_impressions", "Impressions classified.", registry=app.state.metrics)

    @app.post(
        "/v1/classify",
        tags=["text"],
        summary="Label impressions",
        responses=documented(InferenceFailed, Overloaded, Unavailable, DeadlineExceeded),
    )
    async def classify(request: ClassifyRequest) -> ClassifyResponse:
        """One result for each impression, in order: 14 labels, each with its state, the probability of each state and
        the threshold; and warnings, where the text is not in English or states nothing.

        A text longer than the model's window is read in parts and merged; nothing is cut off. A whole report is read by
        its sections, which are listed: not its history, comparison or technique, and the impression before the rest.
        """
        short = sum(map(len, request.impressions)) <= READ_AT_ONCE
        with measure("read"):
            readings = _read(model, request) if short else await asyncio.to_thread(_read, model, request)
        if request.strict_language:
            _check_language(readings)
        readings = _within(readings, settings)
        with measure("infer"):
            results = await lanes.classify(readings)
        classified.inc(len(results))
        return ClassifyResponse(results=results, model=model.info)

    @app.get("/v1/model", tags=["text"], summary="The model that answers")
    async def describe() -> ModelDetails:
        return model.details

    return app


def _read(model: TextClassifier, request: ClassifyRequest) -> list[Reading]:
    return [model.read(text, evidence=request.evidence) for text in request.impressions]


def _check_language(readings: Sequence[Reading]) -> None:
    """Raises InvalidInput where a text, or a passage of one, is not English."""
    for number, reading in enumerate(readings, start=1):
        if reading.language is not None:
            raise InvalidInput(
                f"Impression {number}, or a passage of it, seems not to be in English (language: {reading.language}), "
                "and only English is read. Without strict_language it is read all the same, and gets a warning."
            )


def _within(readings: Sequence[Reading], settings: TextClassifierSettings) -> list[Reading]:
    """The readings, with what their texts leave of the tokens shared out for the search for evidence.

    Raises InvalidInput for more than can be read in the time of one request: characters do not tell its cost.
    """
    most, most_of_one = settings.text_max_tokens, settings.most_tokens_of_one
    for number, reading in enumerate(readings, start=1):
        if reading.size > most_of_one:
            raise InvalidInput(
                f"Impression {number} has {reading.size:,} tokens; the model reads at most {most_of_one:,} in one "
                "impression, so send it in parts."
            )
    tokens = sum(reading.size for reading in readings)
    if tokens > most:
        raise InvalidInput(
            f"The impressions have {tokens:,} tokens together; the model reads at most {most:,} in one request, so "
            "send them in several."
        )
    share = min(MOST_EVIDENCE_COSTS, (most - tokens) // len(readings))
    return [replace(reading, most_search=share) if reading.evidence else reading for reading in readings]
