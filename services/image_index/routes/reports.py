"""Reports as evidence: put, looked at, removed. What comes in are labels; no text of a report gets here."""

from typing import Any

from fastapi import APIRouter, Response, status
from prometheus_client import CollectorRegistry, Counter

from services.image_index.reports import Reports
from services.image_index.store.reports import ReportTarget
from shared.errors import Conflict, NotFound, Unavailable
from shared.schemas.images import ReportEvidence
from shared.schemas.reports import AccessionReportLabels, ReportAnswer, ReportLabels
from shared.schemas.studies import AccessionNamed
from shared.web.documented import documented
from shared.web.openapi import ImageIdPath, ReplaceReport, StudyUidPath
from shared.web.strict_route import strict_router

STORED: dict[int | str, dict[str, Any]] = {
    201: {"model": ReportAnswer, "description": "There was none before. It counts in every later search."}
}
PUT_ERRORS = documented(Conflict, Unavailable)
NOT_NEW = "It was there already, replaced an earlier one, or one that was issued later stays."


def reports_router(reports: Reports, metrics: CollectorRegistry) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["reports"])
    written = Counter("chex_reports_put", "Reports put, by what became of them.", ["outcome"], registry=metrics)

    @router.put(
        "/studies/{study_uid}/report",
        summary="What a study's report says of its images",
        response_description=NOT_NEW,
        responses=STORED | PUT_ERRORS,
    )
    async def put_study_report(
        study_uid: StudyUidPath, labels: ReportLabels, response: Response, *, replace: ReplaceReport = False
    ) -> ReportAnswer:
        """It counts for every image of the study, but for those with a report of their own that was issued later. It
        may come before them.
        """
        return _told(await reports.put(ReportTarget("study", study_uid), labels, replace=replace), response)

    @router.put(
        "/images/{image_id}/report",
        summary="What a report says of one image",
        response_description=NOT_NEW,
        responses=STORED | PUT_ERRORS,
    )
    async def put_image_report(
        image_id: ImageIdPath, labels: ReportLabels, response: Response, *, replace: ReplaceReport = False
    ) -> ReportAnswer:
        """It counts for this image, unless its study has one that was issued later. It may come before the image."""
        return _told(await reports.put(ReportTarget("image", image_id), labels, replace=replace), response)

    @router.post(
        "/reports",
        summary="What the report says of the study with an accession number",
        response_description=NOT_NEW,
        responses=STORED | PUT_ERRORS,
    )
    async def put_report_by_accession(
        labels: AccessionReportLabels, response: Response, *, replace: ReplaceReport = False
    ) -> ReportAnswer:
        """Finds the study by the number in its images' files, and is that study's report from then on. Where no image
        has it yet, the report waits for one; where images of several studies have it, that is a 409.
        """
        return _told(await reports.put_by_accession(labels, replace=replace), response)

    @router.get(
        "/studies/{study_uid}/report",
        summary="What is known by a study's report",
        responses=documented(NotFound, Unavailable),
    )
    async def get_study_report(study_uid: StudyUidPath) -> ReportEvidence:
        """Also while it waits for its images."""
        return await reports.get(ReportTarget("study", study_uid))

    @router.get(
        "/images/{image_id}/report",
        summary="What is known of an image by a report",
        responses=documented(NotFound, Unavailable),
    )
    async def get_image_report(image_id: ImageIdPath) -> ReportEvidence:
        """Of its own report and its study's, the one that was issued later: the one that counts for it."""
        return await reports.get(ReportTarget("image", image_id))

    def _told(answer: ReportAnswer, response: Response) -> ReportAnswer:
        written.labels(answer.outcome).inc()
        if answer.outcome in ("stored", "waiting"):
            response.status_code = status.HTTP_201_CREATED
        return answer

    return router


def removed_reports_router(reports: Reports) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["reports"])

    @router.delete(
        "/studies/{study_uid}/report",
        summary="Forget a study's report",
        status_code=204,
        responses=documented(Unavailable),
    )
    async def delete_study_report(study_uid: StudyUidPath) -> None:
        """What it said is gone from disk and from every later search when the answer arrives. The time of its removal
        is kept, so that a late copy does not bring it back.
        """
        await reports.delete(ReportTarget("study", study_uid))

    @router.delete(
        "/images/{image_id}/report",
        summary="Forget an image's own report",
        status_code=204,
        responses=documented(Unavailable),
    )
    async def delete_image_report(image_id: ImageIdPath) -> None:
        """Its study's, if there is one, counts for it from then on."""
        await reports.delete(ReportTarget("image", image_id))

    @router.post(
        "/reports/delete",
        summary="Forget a report by its accession number",
        status_code=204,
        responses=documented(Conflict, Unavailable),
    )
    async def delete_report_by_accession(named: AccessionNamed) -> None:
        """The report of the study with the number, or the one that waits under it. Where the number finds several, that
        is a 409, and nothing is removed.
        """
        await reports.delete_by_accession(named)

    return router
