"""By what images may be asked for: the UIDs of DICOM, and their content."""

from typing import NamedTuple


class ImageUids(NamedTuple):
    """Images that have all of these; None asks for nothing."""

    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None
    content_sha256: str | None = None
