from pathlib import Path

from services.image_index.patient_key import PatientKeys, open_patient_keys


def test_equal_patients_have_equal_keys_and_others_do_not() -> None:
    keys = PatientKeys(b"secret")

    assert keys.key_of("MRN-1") == keys.key_of(" MRN-1 ")
    assert keys.key_of("MRN-1") != keys.key_of("MRN-2")
    assert len(keys.key_of("MRN-1")) == 16
    int(keys.key_of("MRN-1"), 16)


def test_without_the_secret_a_key_tells_nothing() -> None:
    assert PatientKeys(b"one").key_of("MRN-1") != PatientKeys(b"two").key_of("MRN-1")


def test_a_random_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = open_patient_keys(tmp_path / "a"), open_patient_keys(tmp_path / "a")
    other = open_patient_keys(tmp_path / "b")

    assert first.key_of("MRN-1") == again.key_of("MRN-1") != other.key_of("MRN-1")
    assert (tmp_path / "a" / "patient.key").stat().st_mode & 0o777 == 0o600


def test_a_configured_secret_counts_before_the_kept_one(tmp_path: Path) -> None:
    open_patient_keys(tmp_path)

    assert open_patient_keys(tmp_path, "configured").key_of("x") == PatientKeys(b"configured").key_of("x")
