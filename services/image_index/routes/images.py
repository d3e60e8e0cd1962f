"""The images of the index: put, read, looked at, deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status
from prometheus_client import CollectorRegistry, Counter

from services.image_index.index import ImageIndex
from services.image_index.routes.uploads import UPLOAD_ERRORS, read_upload
from services.image_index.store.new_image import PutOutcome
from shared.errors import NotFound, Unavailable
from shared.schemas.images import ImageMetadataInput, ImagePage, ImagePageParameters, ImageRecord
from shared.schemas.reports import ReportLabels
from shared.web.documented import documented
from shared.web.openapi import METADATA_PART, AcceptAny, FormPart, ImageIdPath, Replace, image_body
from shared.web.strict_route import strict_router

REPORT_PART = FormPart("report", ReportLabels, "What the text classifier read in the image's report.")
STORED: dict[int | str, dict[str, Any]] = {
    201: {"model": ImageRecord, "description": "The image is new to the index, durable, and in every later search."}
}


def images_router(index: ImageIndex, metrics: CollectorRegistry) -> APIRouter:
    router = strict_router(prefix="/v1/images", tags=["images"])
    written = Counter("chex_images_put", "Images put, by what became of them.", ["outcome"], registry=metrics)

    @router.put(
        "/{image_id}",
        summary="Index an image under an id of one's own",
        response_description="The same image was there already, or was replaced.",
        responses=STORED | UPLOAD_ERRORS,
        openapi_extra=image_body(METADATA_PART, REPORT_PART),
    )
    async def put_image(
        image_id: ImageIdPath,
        request: Request,
        response: Response,
        *,
        replace: Replace = False,
        accept_any: AcceptAny = False,
    ) -> ImageRecord:
        """Takes one DICOM, PNG or JPEG chest radiograph; its type is read from its content. Sending it again changes
        nothing. A report that comes with it is kept with it, in one step. Of a multi-frame DICOM object the first frame
        counts.

            curl -X PUT localhost:8002/v1/images/phantom-00001 --data-binary @chest.png
            curl -X PUT localhost:8002/v1/images/phantom-00001 -F file=@chest.png -F 'metadata={"view_position": "PA"}'
        """
        return await put(image_id, request, response, replace=replace, accept_any=accept_any)

    @router.post(
        "",
        summary="Index an image under an id made for it",
        response_description="The same image was there already, or was replaced.",
        responses=STORED | UPLOAD_ERRORS,
        openapi_extra=image_body(METADATA_PART, REPORT_PART),
    )
    async def add_image(
        request: Request, response: Response, *, replace: Replace = False, accept_any: AcceptAny = False
    ) -> ImageRecord:
        """The id is the SOP Instance UID of a DICOM file; of any other, the first 32 hex digits of its SHA-256.

        curl -X POST localhost:8002/v1/images --data-binary @chest.dcm
        """
        return await put(None, request, response, replace=replace, accept_any=accept_any)

    @router.get("", summary="The images of the index, page by page", responses=documented(Unavailable))
    async def list_images(asked: Annotated[ImagePageParameters, Query()]) -> ImagePage:
        """In order of their ids; those of a study, of a series, or of one SOP Instance UID, where that is asked for."""
        return await index.page(asked)

    @router.get("/{image_id}", summary="What the index knows of an image", responses=documented(NotFound, Unavailable))
    async def get_image(image_id: ImageIdPath) -> ImageRecord:
        """Its 14 probabilities, its metadata, and the hashes of file and encoder weights that they come from."""
        return await index.get(image_id)

    @router.delete("/{image_id}", summary="Forget an image", status_code=204, responses=documented(Unavailable))
    async def delete_image(image_id: ImageIdPath) -> None:
        """When the answer arrives the image is gone from disk and from every later search. One that was not there is
        answered alike, so that a delete whose answer was lost can be sent again.
        """
        await index.delete(image_id)

    async def put(
        image_id: str | None, request: Request, response: Response, *, replace: bool, accept_any: bool
    ) -> ImageRecord:
        upload = await read_upload(request, METADATA_PART, REPORT_PART)
        sent, report = upload.said("metadata", ImageMetadataInput), upload.said("report", ReportLabels)
        record, outcome = await index.put(image_id, upload.data, sent, report, replace=replace, accept_any=accept_any)
        written.labels(outcome).inc()
        if outcome is PutOutcome.CREATED:
            response.status_code = status.HTTP_201_CREATED
            response.headers["Location"] = f"/v1/images/{record.image_id}"
        return record

    return router
