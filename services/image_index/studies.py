"""Studies and patients as a whole: looked at, and forgotten. Knows no HTTP."""

from services.image_index.patient_keys import PatientKeys
from services.image_index.store.calls import StoreCalls
from services.image_index.store.contract import ImageStore
from shared.errors import NotFound
from shared.schemas.studies import MOST_IMAGES, Removed, StudyRecord


class Studies:
    def __init__(self, store: ImageStore, call: StoreCalls, keys: PatientKeys) -> None:
        self._store = store
        self._call = call
        self._keys = keys

    async def get(self, uid: str) -> StudyRecord:
        """Also while its report waits for its images."""
        found = await self._call(self._store.study, uid, MOST_IMAGES)
        if found is None:
            raise NotFound("There is no image and no report of this study.")
        return found

    async def delete(self, uid: str) -> None:
        """Gone from disk and from every later search when it returns, whether or not it was there before."""
        await self._call(self._store.delete_study, uid)

    async def delete_patient(self, patient_id: str) -> Removed:
        """The same of all studies of a patient, under whichever of the keys that the ID may have been stored with."""
        images = await self._call(self._store.delete_patient, self._keys.keys_of(patient_id))
        return Removed(images=images, patient_key=self._keys.key_of(patient_id))

    async def delete_patient_of_key(self, key: str) -> Removed:
        """Of this very key."""
        return Removed(images=await self._call(self._store.delete_patient, [key]), patient_key=key)
