"""The images of the index: put, read, looked at, deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status

from gateway.answers import image, images
from gateway.guard.audit.notes import note
from gateway.guard.idempotency.once import Once, OnceRoute
from gateway.openapi import REPEATED, service_errors, with_report_part
from gateway.parts import Parts
from gateway.routes.uploads import upload_with_report_of
from gateway.upstream.services import Picture
from shared.errors import BurnedInText, Conflict, NotAChestRadiograph, NotFound
from shared.labels import LabelName
from shared.schemas.images import ImagePageParameters, ImageRecord
from shared.schemas.retrieve import Image, Images
from shared.web.openapi import METADATA_PART, AcceptAny, ImageIdPath, Replace, image_body, picture_response
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of

IfNoneMatch = Annotated[str | None, Header(description="An `ETag` had before: answered with 304 if it still holds.")]
STORED: dict[int | str, dict[str, Any]] = {201: {"model": Image, "description": "The image is new to the index."}}


def images_router(parts: Parts, once: Once) -> APIRouter:
    router = strict_router(prefix="/v1/images", tags=["images"], route_class=OnceRoute)

    @router.put(
        "/{image_id}",
        summary="Index an image under an id of one's own",
        response_description="The same image was there already, or was replaced.",
        responses=STORED | service_errors(BurnedInText, Conflict, NotAChestRadiograph),
        openapi_extra=with_report_part(image_body(METADATA_PART)),
    )
    async def put_image(
        image_id: ImageIdPath,
        request: Request,
        response: Response,
        *,
        replace: Replace = False,
        accept_any: AcceptAny = False,
    ) -> Image:
        """Takes one DICOM, PNG or JPEG chest radiograph. Sending it again changes nothing. When the answer arrives the
        image is on disk and in every later search. A form may hold its report too: what that says of the labels is
        stored with the image, or neither is, and none of its words.

            curl -X PUT localhost:8000/v1/images/phantom-00001 -H 'Content-Type: image/png' --data-binary @chest.png
            curl -X PUT localhost:8000/v1/images/phantom-00001 -F file=@chest.png -F 'metadata={"view_position": "PA"}'
            curl -X PUT localhost:8000/v1/images/phantom-00001 -F file=@chest.png -F 'report=Mild cardiomegaly.'
        """
        record, new = await parts.index.put_image(
            image_id,
            upload_with_report_of(request, parts),
            deadline_of(request),
            replace=replace,
            accept_any=accept_any,
        )
        return _stored(record, new, request, response)

    @router.post(
        "",
        summary="Index an image under an id made for it",
        response_description="The same image was there already, or was replaced.",
        responses=STORED | service_errors(BurnedInText, Conflict, NotAChestRadiograph, *REPEATED),
        dependencies=[Depends(once)],
        openapi_extra=with_report_part(image_body(METADATA_PART)),
    )
    async def add_image(
        request: Request, response: Response, *, replace: Replace = False, accept_any: AcceptAny = False
    ) -> Image:
        """The id is the SOP Instance UID of a DICOM file, and made from the content of any other.

        curl -X POST localhost:8000/v1/images -H 'Content-Type: application/dicom' --data-binary @chest.dcm
        """
        record, new = await parts.index.add_image(
            upload_with_report_of(request, parts), deadline_of(request), replace=replace, accept_any=accept_any
        )
        return _stored(record, new, request, response)

    @router.get("", summary="What is indexed, a page at a time", responses=service_errors())
    async def list_images(request: Request, parameters: Annotated[ImagePageParameters, Query()]) -> Images:
        """The images in the order of the index, all of them or those of a study, a series or a SOP instance. With
        `report_disagrees=true` it is the worklist of what picture and report see differently.
        """
        page = await parts.index.images(parameters, deadline_of(request))
        note(request, shown=page.images)
        return images(page, parts.links(request))

    @router.get("/{image_id}", summary="What the index knows of an image", responses=service_errors(NotFound))
    async def get_image(image_id: ImageIdPath, request: Request) -> Image:
        """Its 14 probabilities, its metadata, and the hashes of file and encoder weights that they come from."""
        record = await parts.index.image(image_id, deadline_of(request))
        note(request, record=record)
        return image(record, parts.links(request))

    @router.delete("/{image_id}", summary="Forget an image", status_code=204, responses=service_errors())
    async def delete_image(image_id: ImageIdPath, request: Request) -> None:
        """When the answer arrives the image is gone from disk and from every later search. One that was not there is
        answered alike, so that a delete whose answer was lost can be sent again.
        """
        await parts.index.delete_image(image_id, deadline_of(request))

    @router.get(
        "/{image_id}/thumbnail",
        summary="A small picture of an image",
        response_class=Response,
        responses=picture_response("image/jpeg") | service_errors(NotFound),
    )
    async def get_thumbnail(image_id: ImageIdPath, request: Request, if_none_match: IfNoneMatch = None) -> Response:
        """A grey JPEG with the window applied, as the image was indexed."""
        return _shown(await parts.index.thumbnail(image_id, if_none_match, deadline_of(request)))

    @router.get(
        "/{image_id}/heatmap",
        summary="Where in the image the encoder sees a label",
        response_class=Response,
        responses=picture_response("image/png") | service_errors(NotFound),
    )
    async def get_heatmap(
        image_id: ImageIdPath,
        request: Request,
        label: Annotated[LabelName, Query(description="One of the 14 labels.", examples=["Cardiomegaly"])],
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """The class-activation map of the label, laid over the picture as a PNG."""
        return _shown(await parts.index.heatmap(image_id, label, if_none_match, deadline_of(request)))

    def _stored(record: ImageRecord, new: bool, request: Request, response: Response) -> Image:
        note(request, record=record, generation=record.generation)
        stored = image(record, parts.links(request))
        if new:
            response.status_code = status.HTTP_201_CREATED
            response.headers["Location"] = stored.links.image
        return stored

    return router


def _shown(picture: Picture) -> Response:
    return Response(picture.content, status_code=picture.status, headers=picture.headers)
