"""The image index over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.image_index.encoding.encoder import Encoder
from services.image_index.index import PART, ImageIndex
from services.image_index.parts import open_encoder, open_fit, open_keys, open_prior, open_store, open_text_check
from services.image_index.pictures.burned_in.reader import is_installed
from services.image_index.routes.images import images_router
from services.image_index.routes.index_metrics import IndexMetrics
from services.image_index.routes.pictures import pictures_router
from services.image_index.routes.reports import removed_reports_router, reports_router
from services.image_index.routes.search import search_router
from services.image_index.routes.studies import studies_router
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.contract import ImageStore
from services.inference.queue_metrics import QueueMetrics
from shared.errors import Unavailable
from shared.schemas.system import BurnedIn, Check, IndexDescription, ModelDetails
from shared.web.app import new_app
from shared.web.documented import documented
from shared.web.metrics import tell_model
from shared.web.service_token import guard_by

DESCRIPTION = """Keeps chest radiographs as the probabilities of the 14 CheXpert observations, and finds those that are
most like a query: exactly, with filters, and in an order that depends on nothing but the data."""
TAGS = [
    {"name": "images", "description": "Put images in, look at them, take them out."},
    {"name": "studies", "description": "A study as a whole; what is to be forgotten of a patient."},
    {"name": "reports", "description": "What reports say of the images, as evidence beside what the pictures show."},
    {"name": "search", "description": "Find images by labels or by an image."},
    {"name": "system", "description": "What is running, and whether it is well."},
]
_FORM_BYTES = 2**20  # what a form may hold beside the image


def create_app(
    settings: ImageIndexSettings, encoder: Encoder | None = None, store: ImageStore | None = None
) -> FastAPI:
    """Loads the encoder and opens the store that the settings name, unless given them; closes the store at its end.

    Raises ModelLoadError, StoreUnusable, PriorUnusable, FitUnusable, PatientKeyUnusable or ReaderMissing.
    """
    encoder = encoder or open_encoder(settings)
    keys = open_keys(settings)
    text_check = open_text_check(settings)
    prior, fit = open_prior(settings), open_fit(settings, encoder.info.weights_sha256)
    store = store or open_store(settings, encoder.info.weights_sha256)
    index = ImageIndex(encoder, store, keys, text_check, settings, prior=prior, fit=fit)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with index:
                yield
        finally:
            store.close()

    async def readiness() -> list[Check]:
        return [Check(part=PART, ready=True, detail=f"{store.info().size} images"), await index.store_check()]

    app = new_app(
        title="CheXRetriever image index",
        description=DESCRIPTION,
        readiness=readiness,
        lifespan=lifespan,
        max_body_bytes=settings.image_max_bytes + _FORM_BYTES,
        time_limit_s=lambda _scope: settings.upload_timeout_s,
        max_json_bytes=settings.max_json_bytes,
        tags=TAGS,
        guard=guard_by(settings),
    )
    tell_model(app.state.metrics, encoder.info)
    QueueMetrics(app.state.metrics, index.queues)
    app.state.metrics.register(IndexMetrics(store))
    app.include_router(images_router(index, app.state.metrics))
    app.include_router(pictures_router(index))
    app.include_router(reports_router(index.reports, app.state.metrics))
    app.include_router(removed_reports_router(index.reports))
    app.include_router(search_router(index))
    app.include_router(studies_router(index.studies))

    @app.get(
        "/v1/index",
        tags=["system"],
        summary="Size, generation and engine of the index, what is known by reports, and what was learned from them",
        responses=documented(Unavailable),
    )
    async def describe_index() -> IndexDescription:
        """Equal generations of one index hold equal images."""
        return await index.describe()

    @app.get("/v1/model", tags=["system"], summary="The encoder that labels images")
    async def describe_model() -> ModelDetails:
        """Name, version and weight hash, the label set with its thresholds, and what each label was learned from."""
        burned_in = BurnedIn(policy=text_check.policy, reader_installed=is_installed())
        return encoder.details.model_copy(update={"burned_in": burned_in})

    return app
