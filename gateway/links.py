"""Where an image can be had: here, in the archive, in the viewer."""

from dataclasses import dataclass

from shared.schemas.images import ImageLinks, ImageRecord, StoredMetadata
from shared.schemas.search import IndexHit


@dataclass(frozen=True)
class Links:
    """Links to this gateway begin with `root`: its public URL, or else the path under which a proxy serves it, so that
    they hold behind any host name.
    """

    root: str = ""
    wado_rs_url: str | None = None
    viewer_url: str | None = None

    def of(self, image: ImageRecord | IndexHit) -> ImageLinks:
        here = f"{self.root}/v1/images/{image.image_id}"  # an image id needs no escaping
        uids = _known_to_a_pacs(image.metadata)
        return ImageLinks(
            image=here,
            thumbnail=f"{here}/thumbnail" if image.pictured else None,
            wado_rs=self._wado_rs(uids),
            viewer=self._viewer(uids),
        )

    def _wado_rs(self, uids: dict[str, str]) -> str | None:
        if self.wado_rs_url is None or len(uids) < 3:
            return None
        return (
            f"{self.wado_rs_url}/studies/{uids['study_instance_uid']}"
            f"/series/{uids['series_instance_uid']}/instances/{uids['sop_instance_uid']}"
        )

    def _viewer(self, uids: dict[str, str]) -> str | None:
        """None where the template asks for a UID that the image lacks."""
        if self.viewer_url is None:
            return None
        try:
            return self.viewer_url.format(**uids)
        except KeyError:
            return None


def _known_to_a_pacs(metadata: StoredMetadata) -> dict[str, str]:
    """Those of the three UIDs that the image has and nobody invented."""
    uids = {
        "study_instance_uid": None if metadata.study_invented else metadata.study_instance_uid,
        "series_instance_uid": metadata.series_instance_uid,
        "sop_instance_uid": metadata.sop_instance_uid,
    }
    return {name: uid for name, uid in uids.items() if uid is not None}
