from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.image_index.parts import open_keys
from services.image_index.patient_keys import PatientKeys, PatientKeyUnusable, open_patient_keys
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.store import EmbeddedStore
from shared.schemas.search import SearchFilters
from tests.image_index.store.conftest import WEIGHTS, made_image


def test_equal_patients_have_equal_keys_and_others_do_not() -> None:
    keys = PatientKeys(b"secret")

    assert keys.key_of("MRN-1") == keys.key_of(" MRN-1 ")
    assert keys.key_of("MRN-1") != keys.key_of("MRN-2")
    assert len(keys.key_of("MRN-1")) == 16
    int(keys.key_of("MRN-1"), 16)


def test_without_the_secret_a_key_tells_nothing() -> None:
    assert PatientKeys(b"one").key_of("MRN-1") != PatientKeys(b"two").key_of("MRN-1")


def test_accession_numbers_are_hashed_apart_from_patients_and_with_their_issuer() -> None:
    keys = PatientKeys(b"secret")
    alone, north, south = (keys.accession_key(" ACC-1 ", issuer) for issuer in (None, "NORTH ", "SOUTH"))

    assert alone == keys.accession_key("ACC-1", " ") != keys.key_of("ACC-1")
    assert north != south
    assert {key.partition(".")[0] for key in (north, south)} == {alone}
    assert keys.accession_key("ACC-1N", "ORTH").partition(".")[2] != north.partition(".")[2]
    assert PatientKeys(b"other").accession_key("ACC-1") != alone


@pytest.mark.parametrize("hashed", [{"patient_key": "0" * 16}, {"accession_key": "0" * 16}, {}])
def test_an_index_that_lost_its_key_is_given_no_new_one_while_it_holds_hashes(
    settings: ImageIndexSettings, hashed: dict[str, str]
) -> None:
    settings = settings.model_copy(update={"patient_key": None})
    folder = settings.index_folder
    with EmbeddedStore(folder, WEIGHTS) as store:
        store.put([made_image("a", **hashed)])
    if not hashed:
        assert open_keys(settings)
        return
    with pytest.raises(PatientKeyUnusable, match=r"a key that is not there.*CHEX_PATIENT_KEY"):
        open_keys(settings)
    assert not (folder / "patient.key").exists()
    with EmbeddedStore(folder, WEIGHTS) as store:
        store.delete("a")
    assert open_keys(settings)


def test_a_random_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = open_patient_keys(tmp_path / "a"), open_patient_keys(tmp_path / "a")
    other = open_patient_keys(tmp_path / "b")

    assert first.key_of("MRN-1") == again.key_of("MRN-1") != other.key_of("MRN-1")
    assert (tmp_path / "a" / "patient.key").stat().st_mode & 0o777 == 0o600


def test_a_configured_secret_counts_before_the_kept_one(tmp_path: Path) -> None:
    (tmp_path / "patient.key").write_text("kept")

    assert open_patient_keys(tmp_path, "configured").key_of("x") == PatientKeys(b"configured").key_of("x")


def emptied(key: Path) -> None:
    key.write_bytes(b"")


def lost(key: Path) -> None:
    key.unlink()


@pytest.mark.parametrize("harm", [emptied, lost])
def test_another_secret_than_the_first_is_refused_since_nobody_would_be_known_again(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    first = open_patient_keys(tmp_path).key_of("x")
    key = (tmp_path / "patient.key").read_bytes()
    harm(tmp_path / "patient.key")
    for configured in (None, "configured"):
        with pytest.raises(PatientKeyUnusable, match="hashed with another key"):
            open_patient_keys(tmp_path, configured)

    (tmp_path / "patient.key").write_bytes(key)
    assert open_patient_keys(tmp_path).key_of("x") == first
    with pytest.raises(PatientKeyUnusable, match="hashed with another key"):
        open_patient_keys(tmp_path, "configured")
    (tmp_path / "patient-key.check").unlink()
    assert open_patient_keys(tmp_path, "configured").key_of("x") != first


@given(number=st.integers(0, 10**12 - 1), sent=st.integers(0, 4), stored=st.integers(0, 4))
def test_a_number_is_the_same_patient_however_many_zeros_stand_before_it(number: int, sent: int, stored: int) -> None:
    keys = PatientKeys(b"secret")

    assert keys.key_of(f"{'0' * stored}{number}") in keys.keys_of(f" {'0' * sent}{number} ")


@given(patient_id=st.text(min_size=1, max_size=64).filter(str.strip), zeros=st.integers(0, 8))
def test_any_id_counts_as_it_is_and_without_leading_zeros(patient_id: str, zeros: int) -> None:
    keys = PatientKeys(b"secret")
    asked = keys.keys_of("0" * zeros + patient_id.strip())

    assert keys.key_of("0" * zeros + patient_id.strip()) in asked
    assert keys.key_of(patient_id.strip().lstrip("0") or "0") in asked


@given(one=st.from_regex(r"[1-9A-Z][0-9A-Z]{0,11}", fullmatch=True), other=st.from_regex(r"[1-9A-Z][0-9A-Z]{0,11}"))
def test_other_patients_stay_other_patients(one: str, other: str) -> None:
    keys = PatientKeys(b"secret")

    assert keys.keys_of(one).isdisjoint(keys.keys_of(other)) == (one != other.strip())


@given(patient_id=st.text(min_size=1, max_size=64).filter(str.strip))
def test_every_key_is_one_that_a_filter_takes(patient_id: str) -> None:
    keys = sorted(PatientKeys(b"secret").keys_of(patient_id))

    assert SearchFilters(excluded_patient_keys=keys).excluded_patient_keys == keys


@pytest.mark.parametrize("ids", [["20564"], ["1" * 64], ["0" * 64]])
def test_few_hashes_are_made_for_one_patient(ids: list[str]) -> None:
    assert all(len(PatientKeys(b"secret").keys_of(patient_id)) <= 18 for patient_id in ids)


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: open_patient_keys(tmp_path), range(8)))

    assert {keys.key_of("x") for keys in made} == {open_patient_keys(tmp_path).key_of("x")}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["patient-key.check", "patient.key"]
