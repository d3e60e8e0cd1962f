"""Reports of which nothing is known but the accession number: given, and forgotten."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from gateway.guard.audit.notes import note
from gateway.guard.idempotency.once import Once, OnceRoute
from gateway.openapi import ACCESSION_EXAMPLES, ACCESSION_NAMED_EXAMPLES, REPEATED, service_errors
from gateway.parts import Parts
from gateway.reports import read_report
from gateway.routes.reports import NEW, NOT_NEW, answered
from shared.errors import Conflict
from shared.schemas.report_input import AccessionReportInput
from shared.schemas.reports import AccessionReportLabels, ReportAnswer
from shared.schemas.studies import AccessionNamed
from shared.web.openapi import ReplaceReport
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of


def accession_reports_router(parts: Parts, once: Once) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["reports"], route_class=OnceRoute)

    @router.post(
        "/reports",
        summary="Give the report of a study by its accession number",
        response_description=NOT_NEW,
        responses=NEW | service_errors(Conflict, *REPEATED),
        dependencies=[Depends(once)],
    )
    async def add_report(
        body: Annotated[AccessionReportInput, Body(openapi_examples=ACCESSION_EXAMPLES)],
        request: Request,
        response: Response,
        *,
        replace: ReplaceReport = False,
    ) -> ReportAnswer:
        """For reports that name no UID. The accession number is hashed on arrival, and compared with the hashes of
        those that came in DICOM files: a report that is found to belong to no image yet waits for one, and a number
        that several studies have is a 409.
        """
        note(request, accession_number=body.accession_number)
        deadline = deadline_of(request)
        labels = await read_report(body, parts.classifier, deadline)
        note(request, models={"text": labels.text_model_sha256})
        named = AccessionReportLabels(
            **dict(labels), accession_number=body.accession_number, accession_issuer=body.accession_issuer
        )
        return answered(*await parts.index.add_report(named, deadline, replace=replace), response)

    @router.post(
        "/reports/delete",
        summary="Forget a report by its accession number",
        status_code=204,
        responses=service_errors(Conflict, *REPEATED),
        dependencies=[Depends(once)],
    )
    async def delete_report_by_accession(
        named: Annotated[AccessionNamed, Body(openapi_examples=ACCESSION_NAMED_EXAMPLES)], request: Request
    ) -> None:
        """The report of the study with the number, or the one that waits under it. Where the number finds several, that
        is a 409, and nothing is removed. One that was not there is answered as one that was.
        """
        note(request, accession_number=named.accession_number)
        await parts.index.delete_report_by_accession(named, deadline_of(request))

    return router
