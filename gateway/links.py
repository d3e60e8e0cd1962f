"""Where an image can be had: here, in the archive, in the viewer."""

from dataclasses import dataclass

from shared.schemas.images import ImageLinks, ImageRecord, StoredMetadata
from shared.schemas.search import IndexHit


@dataclass(frozen=True)
class Links:
    """Links to this gateway are absolute paths under `root_path`, so they hold behind any host name."""

    root_path: str = ""
    wado_rs_url: str | None = None
    viewer_url: str | None = None

    def of(self, image: ImageRecord | IndexHit) -> ImageLinks:
        path = f"{self.root_path}/v1/images/{image.image_id}"  # an image id needs no escaping
        return ImageLinks(
            image=path,
            thumbnail=f"{path}/thumbnail",
            wado_rs=self._wado_rs(image.metadata),
            viewer=self._viewer(image.metadata),
        )

    def _wado_rs(self, of: StoredMetadata) -> str | None:
        if self.wado_rs_url is None or not (of.study_instance_uid and of.series_instance_uid and of.sop_instance_uid):
            return None
        return (
            f"{self.wado_rs_url}/studies/{of.study_instance_uid}"
            f"/series/{of.series_instance_uid}/instances/{of.sop_instance_uid}"
        )

    def _viewer(self, of: StoredMetadata) -> str | None:
        """None where the template asks for a UID that the image lacks."""
        if self.viewer_url is None:
            return None
        uids = of.model_dump(include={"study_instance_uid", "series_instance_uid", "sop_instance_uid"})
        try:
            return self.viewer_url.format(**{name: uid for name, uid in uids.items() if uid is not None})
        except KeyError:
            return None
