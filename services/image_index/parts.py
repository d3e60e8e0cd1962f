"""What the service is made of, as its settings say: the one place that knows which encoder, store, key and reader of
text it has.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import structlog

from services.image_index.encoding.encoder import Encoder
from services.image_index.encoding.foreign import is_foreign, open_foreign
from services.image_index.encoding.imported import NoSession, folder_of, imported_in
from services.image_index.encoding.model_folder import read_model_folder
from services.image_index.patient_keys import PatientKeys, open_patient_keys
from services.image_index.pictures.burned_in.check import TextCheck
from services.image_index.pictures.burned_in.reader import ReaderMissing, TextReader, is_installed
from services.image_index.ranking.prior import LabelSetPrior, read_prior, shipped_prior
from services.image_index.ranking.site_fit import SiteFit, read_fit
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.contract import ImageStore
from services.image_index.store.embedded.peek import holds_hashes, reported_images, stored_hashes, weights_of
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.reported import ReportedImages
from services.inference.model_files import ModelLoadError
from services.inference.session import open_session
from shared.settings import Device

log = structlog.get_logger("image-index")


def open_encoder(settings: ImageIndexSettings) -> Encoder:
    """The configured encoder; or, for an index of imported predictions, one that refuses every image.

    Raises ModelLoadError.
    """
    imported = imported_in(settings.index_folder)
    if imported is not None:
        return Encoder(folder_of(imported), NoSession(imported), shipped_prior().base_rates)
    return open_model(settings.image_model, device=settings.device, threads=settings.threads)


def open_model(model: str | Path, *, device: Device = "auto", threads: int = 0) -> Encoder:
    """`model`: an image model folder, or what torch can run of other people's (see `encoding.foreign`).

    A label that it does not know is told of every image as often as reports state it. Raises ModelLoadError where it is
    not complete, or cannot be run here.
    """
    base_rates = shipped_prior().base_rates
    if is_foreign(str(model)):
        return Encoder(*open_foreign(str(model), device), base_rates)
    folder = Path(model)
    described = read_model_folder(folder)
    session = open_session(folder, device=device, threads=threads, build_torch=_build_torch)
    return Encoder(described, session, base_rates)


def _build_torch(folder: Path) -> Any:
    from services.image_index.networks.build import build_torch  # noqa: PLC0415 - serving on CPU has no torch

    try:
        return build_torch(folder)
    except (ValueError, KeyError, RuntimeError) as error:
        raise ModelLoadError(f"The image model folder {folder} is not valid: {error}") from error


def open_store(settings: ImageIndexSettings, weights_sha256: str) -> ImageStore:
    """Raises StoreUnusable, where it holds images of other weights than these, or hashes of another key, or another
    process has it open; PatientKeyUnusable; or PriorUnusable.
    """
    return EmbeddedStore(
        settings.index_folder,
        weights_sha256,
        key_fingerprint=open_keys(settings).fingerprint,
        base_rates=open_prior(settings).base_rates,
        min_free_bytes=settings.min_free_bytes,
    )


def open_store_as_it_is(settings: ImageIndexSettings) -> ImageStore:
    """For what needs no encoder: with the weights that made its images, and where it has none, the configured ones.

    Raises StoreUnusable, PriorUnusable or ModelLoadError.
    """
    weights_sha256 = weights_of(settings.index_folder) or open_encoder(settings).info.weights_sha256
    return open_store(settings, weights_sha256)


def open_prior(settings: ImageIndexSettings) -> LabelSetPrior:
    """Raises PriorUnusable."""
    return read_prior(settings.prior) if settings.prior else shipped_prior()


def open_fit(settings: ImageIndexSettings, weights_sha256: str) -> SiteFit | None:
    """What `calibrate` wrote beside the index. None where it did not, or for another encoder than this one: a search
    that goes on with the default serves better than none. Raises FitUnusable.
    """
    found = read_fit(settings.index_folder)
    if found is not None and found.weights_sha256 != weights_sha256:
        log.warning("fit_is_of_another_encoder", fit_weights=found.weights_sha256, weights=weights_sha256)
        return None
    return found


def open_reported(settings: ImageIndexSettings, weights_sha256: str) -> ReportedImages:
    """The images with a report, read while another process may own the store.

    Raises StoreUnusable, where they are of other weights than these too.
    """
    found = reported_images(settings.index_folder)
    made_by = weights_of(settings.index_folder)
    if made_by not in {None, weights_sha256}:
        raise StoreUnusable(
            f"The index in {settings.index_folder} was made with other encoder weights ({made_by[:12]}…) than these "
            f"({weights_sha256[:12]}…). Set CHEX_IMAGE_MODEL as the service has it."
        )
    return found


def open_hashes(
    settings: ImageIndexSettings, weights_sha256: str
) -> AbstractContextManager[Callable[[str], str | None]]:
    """The content's SHA-256 by image id, read while another process may own the store.

    Raises StoreUnusable where an ingest with these weights would be refused.
    """
    return stored_hashes(settings.index_folder, weights_sha256)


def open_text_check(settings: ImageIndexSettings) -> TextCheck:
    """Raises ReaderMissing where text is to be looked for and the extra for it is not installed."""
    policy = settings.burned_in or ("refuse" if is_installed() else "allow")
    if policy == "allow":
        return TextCheck(policy)
    if not is_installed():
        raise ReaderMissing(
            f"CHEX_BURNED_IN={policy} needs the extra that reads text in pictures: pip install '.[ocr]'. "
            "CHEX_BURNED_IN=allow looks for none."
        )
    return TextCheck(policy, TextReader())


def open_keys(settings: ImageIndexSettings) -> PatientKeys:
    """Raises PatientKeyUnusable, or StoreUnusable where an index without its key cannot be read."""
    configured = settings.patient_key.get_secret_value() if settings.patient_key else None
    return open_patient_keys(settings.index_folder, configured, lambda: holds_hashes(settings.index_folder))
