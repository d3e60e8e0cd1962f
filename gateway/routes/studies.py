"""Studies and patients as a whole: looked at, and forgotten."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request

from gateway.answers import study
from gateway.guard.audit.notes import note
from gateway.guard.idempotency.once import Once, OnceRoute
from gateway.openapi import PATIENT_EXAMPLES, REPEATED, service_errors
from gateway.parts import Parts
from shared.errors import NotFound
from shared.schemas.retrieve import Study
from shared.schemas.studies import Patient, Removed
from shared.web.openapi import PatientKeyPath, StudyUidPath
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of


def studies_router(parts: Parts, once: Once) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["studies"], route_class=OnceRoute)

    @router.get("/studies/{study_uid}", summary="What the index knows of a study", responses=service_errors(NotFound))
    async def get_study(study_uid: StudyUidPath, request: Request) -> Study:
        """Its images with their links, what its report says of the labels, and its date, where study dates are kept."""
        found = await parts.index.study(study_uid, deadline_of(request))
        note(request, shown=found.images)
        return study(found, parts.links(request))

    @router.delete("/studies/{study_uid}", summary="Forget a study", status_code=204, responses=service_errors())
    async def delete_study(study_uid: StudyUidPath, request: Request) -> None:
        """When the answer arrives its images, their reports and its own are gone from disk and from every later search.
        One that was not there is answered alike. A late copy of a report that was removed does not bring it back.
        """
        await parts.index.delete_study(study_uid, deadline_of(request))

    @router.delete("/patients/{patient_key}", summary="Forget a patient by the key", responses=service_errors())
    async def delete_patient_of_key(patient_key: PatientKeyPath, request: Request) -> Removed:
        """All studies of the patient, as a study is forgotten. Only of this very key, which images carry in their
        metadata; by the patient's ID also what was stored with more or fewer leading zeros.
        """
        return await parts.index.delete_patient_of_key(patient_key, deadline_of(request))

    @router.post(
        "/patients/by-id/delete",
        summary="Forget a patient by the ID",
        responses=service_errors(*REPEATED),
        dependencies=[Depends(once)],
    )
    async def delete_patient(
        patient: Annotated[Patient, Body(openapi_examples=PATIENT_EXAMPLES)], request: Request
    ) -> Removed:
        """All studies of the patient, as a study is forgotten. The ID is in the body, since addresses are written down
        on their way; it is hashed on arrival, with and without leading zeros.

            curl localhost:8000/v1/patients/by-id/delete -H 'Content-Type: application/json' -d '{"patient_id": "2056"}'
        """
        removed = await parts.index.delete_patient(patient, deadline_of(request))
        note(request, patient_key=removed.patient_key)
        return removed

    return router
