"""What reports say of images, as evidence: put, read, deleted. Their text is read and forgotten."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from gateway.guard.audit.notes import note
from gateway.openapi import REPORT_BODY, service_errors
from gateway.parts import Parts
from gateway.reports import read_report
from gateway.routes.report_texts import report_of
from shared.errors import Conflict, NotFound
from shared.schemas.images import ReportEvidence
from shared.schemas.reports import ReportAnswer
from shared.web.openapi import ImageIdPath, ReplaceReport, StudyUidPath
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of

NEW: dict[int | str, dict[str, Any]] = {201: {"model": ReportAnswer, "description": "The report is new to the index."}}
NOT_NEW = "It was there already, takes the place of an earlier one, or is itself out of date; `outcome` says which."


def reports_router(parts: Parts) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["reports"])

    @router.put(
        "/studies/{study_uid}/report",
        summary="Give the report of a study",
        response_description=NOT_NEW,
        responses=NEW | service_errors(Conflict),
        openapi_extra=REPORT_BODY,
    )
    async def put_study_report(
        study_uid: StudyUidPath, request: Request, response: Response, *, replace: ReplaceReport = False
    ) -> ReportAnswer:
        """What the report says of the labels counts for every image of the study, those that come later too. The text
        is read and forgotten: labels, probabilities and the time of issue are kept. One that is not in English is a
        422. Of two reports of a study, the one issued later counts.

            curl -X PUT localhost:8000/v1/studies/1.2.3/report -H 'Content-Type: text/plain' -d 'Mild cardiomegaly.'
        """
        return await _put(f"studies/{study_uid}", request, response, replace=replace)

    @router.put(
        "/images/{image_id}/report",
        summary="Give the report of an image",
        response_description=NOT_NEW,
        responses=NEW | service_errors(Conflict),
        openapi_extra=REPORT_BODY,
    )
    async def put_image_report(
        image_id: ImageIdPath, request: Request, response: Response, *, replace: ReplaceReport = False
    ) -> ReportAnswer:
        """The same of one image. Where its study has a report too, the one that was issued later counts for it."""
        return await _put(f"images/{image_id}", request, response, replace=replace)

    @router.get(
        "/studies/{study_uid}/report", summary="What the report of a study says", responses=service_errors(NotFound)
    )
    async def get_study_report(study_uid: StudyUidPath, request: Request) -> ReportEvidence:
        """What it says of the 14 labels, which weights read it, and when it was issued. Its text is not kept."""
        return await _get(f"studies/{study_uid}", request)

    @router.get(
        "/images/{image_id}/report",
        summary="What the report of an image says",
        responses=service_errors(NotFound),
    )
    async def get_image_report(image_id: ImageIdPath, request: Request) -> ReportEvidence:
        """Of its own report and its study's, the one that was issued later, which counts for it; `of` says whose."""
        return await _get(f"images/{image_id}", request)

    @router.delete(
        "/studies/{study_uid}/report",
        summary="Forget the report of a study",
        status_code=204,
        responses=service_errors(),
    )
    async def delete_study_report(study_uid: StudyUidPath, request: Request) -> None:
        """Its images are known by their pictures alone again. One that was not there is answered alike. A late copy of
        what was removed does not bring it back.
        """
        await parts.index.delete_report(f"studies/{study_uid}", deadline_of(request))

    @router.delete(
        "/images/{image_id}/report",
        summary="Forget the report of an image",
        status_code=204,
        responses=service_errors(),
    )
    async def delete_image_report(image_id: ImageIdPath, request: Request) -> None:
        """Its study's, if there is one, counts for it from then on."""
        await parts.index.delete_report(f"images/{image_id}", deadline_of(request))

    async def _get(of: str, request: Request) -> ReportEvidence:
        report = await parts.index.report(of, deadline_of(request))
        note(request, models={"text": report.text_model_sha256})
        return report

    async def _put(of: str, request: Request, response: Response, *, replace: bool) -> ReportAnswer:
        report, deadline = await report_of(request), deadline_of(request)
        labels = await read_report(report, parts.classifier, deadline)
        note(request, models={"text": labels.text_model_sha256})
        return answered(*await parts.index.put_report(of, labels, deadline, replace=replace), response)

    return router


def answered(answer: ReportAnswer, new: bool, response: Response) -> ReportAnswer:
    if new:
        response.status_code = status.HTTP_201_CREATED
    return answer
