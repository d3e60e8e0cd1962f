"""The whole story of this service: a file becomes 14 numbers in the store; a query becomes the images most like it.

Knows no HTTP. Files are decoded in threads of their own, the encoder runs in batches, the store works in other threads:
nothing here holds up the event loop.
"""

import asyncio
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.image_index.answers import search_result
from services.image_index.encoding.encoder import Encoder, Encoding
from services.image_index.ingest.decode_pool import DecodePool
from services.image_index.ingest.prepare import (
    HASHED,
    Prepared,
    check_chest,
    id_from_content,
    new_image,
    sha256_of,
    stored_metadata,
)
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.burned_in.check import TextCheck
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.read import DICOM, media_type_of
from services.image_index.pictures.show import heatmap_over
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.query import Query
from services.image_index.ranking.site_fit import SiteFit
from services.image_index.ranking.trust import Trust
from services.image_index.ranking.vectors import named, vector
from services.image_index.reports import Reports, report_of, report_was_removed
from services.image_index.retention import Retention
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.calls import StoreCalls, deadline
from services.image_index.store.contract import ImageStore
from services.image_index.store.failures import PART as STORE
from services.image_index.store.failures import unavailable
from services.image_index.store.new_image import PutOutcome
from services.image_index.store.reports import ReportTarget
from services.image_index.studies import Studies
from services.image_index.worklist import disagreeing, page_of
from services.inference.batching import MicroBatcher
from services.inference.queue_metrics import Queue
from shared.errors import Conflict, DeadlineExceeded, NotFound
from shared.labels import LABELS, LabelName
from shared.schemas.images import ImageMetadataInput, ImagePage, ImagePageParameters, ImageRecord
from shared.schemas.reports import ReportLabels
from shared.schemas.search import (
    EVIDENCE_BY_IMAGE,
    RANKING_BY_IMAGE,
    ImageSearchResult,
    SearchOptions,
    SearchRequest,
    SearchResult,
)
from shared.schemas.system import Check, IndexDescription
from shared.telemetry import measure

PART = "image-index"
SECOND_ID = (
    "This image is stored under another id: one of the same file, or of the same SOP Instance UID. Find it with GET "
    "/v1/images?content_sha256= or ?sop_instance_uid=, and keep that id; or delete it there before it is stored here."
)
_WRITE_CHECK_TIMEOUT_S = 0.5  # the gateway waits a second for all that the index says of itself

T = TypeVar("T")


class ImageIndex:
    """Used with `async with`. Every call ends within its deadline: with an answer, or with a ServiceError."""

    def __init__(
        self,
        encoder: Encoder,
        store: ImageStore,
        patient_keys: PatientKeys,
        text_check: TextCheck,
        settings: ImageIndexSettings,
        *,
        prior: LabelSetPrior,
        fit: SiteFit | None = None,
    ) -> None:
        self.encoder = encoder
        self.store = store
        self._keys = patient_keys
        self._text_check = text_check
        self._settings = settings
        self._prior = prior
        self._fit = fit
        self._trust = Trust(encoder.calibrated, tuple(encoder.proven.tolist()), fit.fit if fit else None)
        self._thresholds = self._trust.thresholds(encoder.thresholds)
        self._decode = DecodePool(encoder, settings, PART)
        self._call = StoreCalls(settings.request_timeout_s)
        self.studies = Studies(store, self._call, patient_keys)
        self.retention = Retention(store, self._call, settings.forget_after_days)
        self.reports = Reports(store, self._call, patient_keys, self._prior.base_rates)
        self._batcher = MicroBatcher[Grey, Encoding](
            encoder.encode,
            max_batch=settings.image_max_batch,
            max_queue=settings.image_max_queue,
            name="image-encoder",
        )

    @property
    def queues(self) -> dict[str, Queue]:
        return {"decode": self._decode, "encode": self._batcher}

    async def __aenter__(self) -> Self:
        await self._batcher.__aenter__()
        self.retention.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.retention.stop()
        await self._batcher.__aexit__()
        self._decode.close()
        self._call.close()

    async def put(
        self,
        image_id: str | None,
        data: bytes,
        sent: ImageMetadataInput | None = None,
        report: ReportLabels | None = None,
        *,
        replace: bool = False,
        accept_any: bool = False,
    ) -> tuple[ImageRecord, PutOutcome]:
        """Durable when it returns, with its report. Without an id, the image gets its SOP Instance UID, or one made of
        its content.

        Raises Conflict where other content is stored under the id, or its report was removed, unless `replace`; or
        where the same object is stored under another id; NotAChestRadiograph, unless `accept_any`; BurnedInText.
        """
        async with deadline(self._settings.upload_timeout_s):
            is_dicom = media_type_of(data) == DICOM
            content_sha256 = await self._call(sha256_of, data)
            if image_id is None and not is_dicom:
                image_id = id_from_content(content_sha256)
            if image_id is not None and not replace:
                stored = await self._call(self.store.get, image_id)
                if stored is not None:
                    self._refuse_change(stored, content_sha256, None if is_dicom else sent)
                    if report is None:
                        return stored, PutOutcome.UNCHANGED
                    answer = await self.reports.put(ReportTarget("image", image_id), report)
                    if answer.outcome != "waiting":  # else the image was deleted since it was looked for
                        return await self.get(image_id), PutOutcome.UNCHANGED
            await self._refuse_if_nothing_can_be_written()
            prepared, encoding = await self._encode(data, self._text_check, sent, accept_any=accept_any)
            image_id = image_id or prepared.metadata.sop_instance_uid or id_from_content(content_sha256)
            image = new_image(
                image_id,
                prepared,
                encoding,
                stored_metadata(prepared, sent, self._keys, keep_study_date=self._settings.keep_study_date),
                content_sha256=content_sha256,
                weights_sha256=self.encoder.info.weights_sha256,
                report=report_of(report, self._prior.base_rates) if report else None,
            )
            (outcome,) = await self._call(self.store.put, [image], replace=replace)
            _check(outcome)
            stored = await self._call(self.store.get, image_id)
            if stored is None:
                raise Conflict("The image was stored, and deleted by another request before this one was answered.")
            if outcome is PutOutcome.UNCHANGED:  # a request beside this one was first, maybe with other metadata
                self._refuse_change(stored, content_sha256, None if is_dicom else sent)
            return stored, outcome

    async def _refuse_if_nothing_can_be_written(self) -> None:
        """Before the work of decoding is done in vain."""
        trouble = await self._call(self.store.write_trouble)
        if trouble is not None:
            raise unavailable(trouble)

    def _refuse_change(self, stored: ImageRecord, content_sha256: str, sent: ImageMetadataInput | None) -> None:
        if stored.content_sha256 != content_sha256:
            raise _conflict()
        given = sent.model_dump(exclude_none=True, exclude=HASHED) if sent else {}
        if sent and sent.patient_id is not None:
            given["patient_key"] = self._keys.key_of(sent.patient_id)
        if sent and sent.accession_number is not None:
            given["accession_key"] = self._keys.accession_key(sent.accession_number, sent.accession_issuer)
        if any(getattr(stored.metadata, name) != value for name, value in given.items()):
            raise Conflict("This image is stored with other metadata. Send replace=true to put these in their place.")

    async def get(self, image_id: str) -> ImageRecord:
        return _there(await self._call(self.store.get, image_id))

    async def page(self, asked: ImagePageParameters) -> ImagePage:
        def page() -> ImagePage:
            if asked.report_disagrees is None:
                return page_of(self.store, asked)
            fusion = self._trust.fusion(self.store.statistics(), self._prior, "image")
            return page_of(self.store, asked, disagreeing(fusion, self._prior, wanted=asked.report_disagrees))

        return await self._call(page)

    async def describe(self) -> IndexDescription:
        described = await self._call(self.store.describe)
        return described.model_copy(update={"fit": self._fit.described if self._fit else None})

    async def delete(self, image_id: str) -> None:
        """Gone from disk and from every later search when it returns, whether or not it was there before."""
        await self._call(self.store.delete, image_id)

    async def store_check(self) -> Check:
        """Searches go on while nothing can be written."""
        try:
            async with asyncio.timeout(_WRITE_CHECK_TIMEOUT_S):
                trouble = await self._call(self.store.write_trouble)
        except (TimeoutError, DeadlineExceeded):
            trouble = "The disk of the index does not answer."
        return Check(part=STORE, ready=True, writes=trouble is None, detail=trouble)

    async def thumbnail(self, image_id: str) -> bytes:
        """Of an image that is there."""
        return _shown(await self._call(self.store.thumbnail, image_id))

    async def heatmap(self, image_id: str, label: LabelName) -> bytes:
        if not self.encoder.knows(label):
            raise NotFound("The encoder in use does not know this label, so there is no map of it.")

        def draw() -> bytes:
            return heatmap_over(_shown(self.store.thumbnail(image_id)), _shown(self.store.cam(image_id, label)))

        return await self._call(draw)

    async def search(self, request: SearchRequest) -> SearchResult:
        weights = vector(request.weights())
        if request.binarize:
            weights = (weights > 0.5).astype(np.float64)
        return await self._search(weights, weights > 0, request)

    async def search_by_image(
        self, data: bytes, options: SearchOptions, *, accept_any: bool = False
    ) -> ImageSearchResult:
        """The image is read and encoded as one to be indexed, and not kept. Raises NotAChestRadiograph likewise."""
        async with deadline(self._settings.upload_timeout_s):
            prepared, encoding = await self._encode(data, self._text_check.of_searches, accept_any=accept_any)
        usual = {"ranking": RANKING_BY_IMAGE, "evidence": EVIDENCE_BY_IMAGE}
        unset = {name: value for name, value in usual.items() if name not in options.model_fields_set}
        options = options.model_copy(update=unset)
        # As of any image of the index, what its picture tells of unproven labels counts for nothing.
        told = np.where(self.encoder.proven, self._trust.told(encoding.probabilities), self._prior.base_rates)
        shown = told >= self._thresholds
        weights = (shown if options.binarize else told).astype(np.float64)
        result = await self._search(weights, shown, options)
        return ImageSearchResult(
            **dict(result),
            probabilities=named(encoding.probabilities),
            chest_score=prepared.look.chest_score,
            looks_turned=None if prepared.is_lateral(None) else prepared.look.turned,
        )

    async def _search(
        self, weights: NDArray[np.float64], sought: NDArray[np.bool_], options: SearchOptions
    ) -> SearchResult:
        """`sought` (14,): the labels that a hit is said to match or miss."""
        names = [name for name, there in zip(LABELS, sought, strict=True) if there]

        query = self._query(weights, options)
        thresholds = dict(zip(LABELS, self._thresholds.tolist(), strict=True))

        def answer() -> SearchResult:
            with measure("rank"):
                found = self.store.search(query)
            if options.generation not in {None, found.info.generation}:
                raise Conflict("The index has changed since that generation; begin again at the first page.")
            return search_result(found, query, names, thresholds, self.encoder.details)

        return await self._call(answer)

    def _query(self, weights: NDArray[np.float64], options: SearchOptions) -> Query:
        """Patient IDs go no further: they become the keys that the patients may be stored under."""
        unwanted = options.filters.excluded_patient_ids
        filters = options.filters.model_copy(update={"excluded_patient_ids": []})
        return Query(
            weights,
            options.model_copy(update={"filters": filters}),
            thresholds=self._thresholds if options.binarize else None,
            excluded_patients=[self._keys.keys_of(patient) for patient in unwanted],
            prior=self._prior,
            trust=self._trust,
        )

    async def _encode(
        self, data: bytes, text_check: TextCheck, sent: ImageMetadataInput | None = None, *, accept_any: bool
    ) -> tuple[Prepared, Encoding]:
        with measure("decode"):
            prepared = await self._decode(data, text_check)
        check_chest(prepared, sent, 0.0 if accept_any else self._settings.chest_threshold)
        prepared.text.refuse()
        with measure("encode"):
            encoding = await self._batcher.submit(prepared.square, timeout_s=self._settings.upload_timeout_s)
        return prepared, encoding


def _there(found: T | None) -> T:
    if found is None:
        raise NotFound("There is no image with this id.")
    return found


def _shown(picture: T | None) -> T:
    if picture is None:
        raise NotFound("Nothing can be shown of this image: its probabilities were imported without the picture.")
    return picture


def _check(outcome: PutOutcome) -> None:
    """Raises Conflict where nothing was written."""
    if outcome is PutOutcome.CONFLICT:
        raise _conflict()
    if outcome is PutOutcome.SECOND_ID:
        raise Conflict(SECOND_ID)
    if outcome is PutOutcome.REPORT_REMOVED:
        raise report_was_removed()


def _conflict() -> Conflict:
    return Conflict("Another image is stored under this id. Send replace=true to put this one in its place.")
