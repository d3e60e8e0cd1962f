"""Studies and patients as a whole: looked at, and forgotten."""

from fastapi import APIRouter

from services.image_index.studies import Studies
from shared.errors import NotFound, Unavailable
from shared.schemas.studies import Patient, Removed, StudyRecord
from shared.web.documented import documented
from shared.web.openapi import PatientKeyPath, StudyUidPath
from shared.web.strict_route import strict_router


def studies_router(studies: Studies) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["studies"])

    @router.get(
        "/studies/{study_uid}",
        summary="What the index knows of a study",
        responses=documented(NotFound, Unavailable),
    )
    async def get_study(study_uid: StudyUidPath) -> StudyRecord:
        """Its images and what its report says, of one moment."""
        return await studies.get(study_uid)

    @router.delete("/studies/{study_uid}", summary="Forget a study", status_code=204, responses=documented(Unavailable))
    async def delete_study(study_uid: StudyUidPath) -> None:
        """Its images, their reports and its own are gone from disk and from every later search when the answer arrives,
        in one step. One that was not there is answered alike. A late copy of a removed report does not bring it back.
        """
        await studies.delete(study_uid)

    @router.delete("/patients/{patient_key}", summary="Forget a patient by the key", responses=documented(Unavailable))
    async def delete_patient_of_key(patient_key: PatientKeyPath) -> Removed:
        """All studies of the patient, as a study is forgotten: in one step. Only of this very key; by the patient's ID
        also what was stored with other leading zeros.
        """
        return await studies.delete_patient_of_key(patient_key)

    @router.post("/patients/by-id/delete", summary="Forget a patient by the ID", responses=documented(Unavailable))
    async def delete_patient(patient: Patient) -> Removed:
        """All studies of the patient, as a study is forgotten: in one step. The ID is in the body, since addresses are
        written down on their way.
        """
        return await studies.delete_patient(patient.patient_id)

    return router
