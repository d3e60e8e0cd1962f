"""Pictures of the images in the index, for people."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from services.image_index.index import ImageIndex
from shared.errors import NotFound, Unavailable
from shared.labels import LabelName
from shared.schemas.images import ImageRecord
from shared.web.documented import documented
from shared.web.openapi import ImageIdPath, picture_response
from shared.web.strict_route import strict_router

IfNoneMatch = Annotated[str | None, Header(description="An `ETag` had before: answered with 304 if it still holds.")]


def pictures_router(index: ImageIndex) -> APIRouter:
    router = strict_router(prefix="/v1/images", tags=["images"])

    @router.get(
        "/{image_id}/thumbnail",
        summary="A small picture of an image",
        response_class=Response,
        responses=picture_response("image/jpeg") | documented(NotFound, Unavailable),
    )
    async def get_thumbnail(image_id: ImageIdPath, if_none_match: IfNoneMatch = None) -> Response:
        """A grey JPEG, longest side 256 pixels, with the window applied as the image was indexed."""
        record = await index.get(image_id)
        headers = _cache_headers(record, "thumbnail")
        if _holds(if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(await index.thumbnail(image_id), media_type="image/jpeg", headers=headers)

    @router.get(
        "/{image_id}/heatmap",
        summary="Where in the image the encoder sees a label",
        response_class=Response,
        responses=picture_response("image/png") | documented(NotFound, Unavailable),
    )
    async def get_heatmap(
        image_id: ImageIdPath,
        label: Annotated[LabelName, Query(description="One of the 14 labels.", examples=["Cardiomegaly"])],
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """The label's class-activation grid over the thumbnail, as a PNG. It shows where, not how much."""
        record = await index.get(image_id)
        headers = _cache_headers(record, f"heatmap-{label.replace(' ', '-')}")
        if _holds(if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(await index.heatmap(image_id, label), media_type="image/png", headers=headers)

    return router


def _cache_headers(record: ImageRecord, kind: str) -> dict[str, str]:
    """The tag changes with every write of the image; a browser asks each time, and is mostly answered with 304."""
    return {"ETag": f'"{record.content_sha256[:16]}-{record.generation}-{kind}"', "Cache-Control": "private, no-cache"}


def _holds(if_none_match: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
