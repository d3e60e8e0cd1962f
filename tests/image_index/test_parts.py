from shutil import copyfile

import numpy as np
import pytest
from pydantic import SecretStr

from services.image_index.parts import open_encoder, open_hashes, open_keys, open_model, open_store
from services.image_index.patient_keys import PatientKeys
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.file import FILE_NAME
from services.image_index.store.failures import StoreUnusable
from services.inference.model_files import ModelLoadError
from shared.errors import Conflict
from tests.image_index.store.conftest import made_image


def test_the_store_that_is_opened_is_the_one_that_hashes_are_read_from(settings: ImageIndexSettings) -> None:
    image = made_image("a", np.full(14, 0.5))
    with open_store(settings, image.weights_sha256) as store:
        store.put([image])
        with open_hashes(settings, image.weights_sha256) as stored_sha256:  # while another has it open
            assert (stored_sha256("a"), stored_sha256("b")) == (image.content_sha256, None)


def test_a_configured_key_is_used_and_else_the_one_that_is_kept(settings: ImageIndexSettings) -> None:
    without = settings.model_copy(update={"patient_key": None, "data_dir": settings.data_dir / "kept"})
    kept = open_keys(without).key_of("1")
    assert open_keys(without).key_of("1") == kept
    assert open_keys(settings).key_of("1") == PatientKeys(b"a key for tests").key_of("1") != kept


@pytest.mark.parametrize("hashed", [{"patient_key": "0123456789abcdef"}, {"accession_key": "0123456789abcdef"}])
def test_an_index_that_is_put_into_another_folder_is_not_opened_with_another_key(
    settings: ImageIndexSettings, hashed: dict[str, str]
) -> None:
    image = made_image("a", **hashed)
    with open_store(settings, image.weights_sha256) as store:
        store.put([image])
    other = settings.model_copy(
        update={"data_dir": settings.data_dir / "restored", "patient_key": SecretStr("another")}
    )
    other.index_folder.mkdir(parents=True)
    copyfile(settings.index_folder / FILE_NAME, other.index_folder / FILE_NAME)

    with pytest.raises(StoreUnusable, match="hashed with another key"):
        open_store(other, image.weights_sha256)
    (other.index_folder / "patient-key.check").unlink()
    back = other.model_copy(update={"patient_key": settings.patient_key})
    with open_store(back, image.weights_sha256) as store:
        assert store.get("a") is not None


def test_an_index_without_any_hash_takes_another_key(settings: ImageIndexSettings) -> None:
    image = made_image("a")
    with open_store(settings, image.weights_sha256) as store:
        store.put([image])
    (settings.index_folder / "patient-key.check").unlink()
    with open_store(settings.model_copy(update={"patient_key": SecretStr("another")}), image.weights_sha256) as store:
        assert store.get("a") is not None


def test_an_index_of_predictions_has_an_encoder_that_refuses_images(settings: ImageIndexSettings) -> None:
    settings.index_folder.mkdir(parents=True)
    note = settings.index_folder / "predictions.json"
    thresholds = ", ".join(f'"{label}": 0.5' for label in open_model(settings.image_model).details.labels)
    note.write_text(f'{{"model_name": "m", "weights_sha256": "{"0" * 64}", "thresholds": {{{thresholds}}}}}')
    encoder = open_encoder(settings)
    with pytest.raises(Conflict, match="imported predictions of m"):
        encoder.encode([np.zeros((16, 16), dtype=np.uint8)])
    note.write_text("{")
    with pytest.raises(ModelLoadError, match="is damaged"):
        open_encoder(settings)
