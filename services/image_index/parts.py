"""What the service is made of, as its settings say: the one place that knows which encoder, store and key it has."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from services.image_index.encoder import Encoder
from services.image_index.imported import imported_in, without_encoder
from services.image_index.patient_key import PatientKeys, open_patient_keys
from services.image_index.prior import shipped_prior
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.base import ImageStore
from services.image_index.store.embedded import EmbeddedStore
from services.image_index.store.peek import stored_hashes
from shared.settings import Device


def open_encoder(settings: ImageIndexSettings) -> Encoder:
    """The configured encoder; or, for an index of imported predictions, one that refuses every image.

    Raises ModelLoadError.
    """
    imported = imported_in(settings.index_folder)
    if imported is not None:
        return without_encoder(imported, shipped_prior().base_rates)
    return open_model(settings.image_model, device=settings.device, threads=settings.threads)


def open_model(model: str | Path, *, device: Device = "auto", threads: int = 0) -> Encoder:
    """What `Encoder.open` opens. A label that it does not know is told of every image as often as reports state it.

    Raises ModelLoadError.
    """
    return Encoder.open(model, shipped_prior().base_rates, device=device, threads=threads)


def open_store(settings: ImageIndexSettings, weights_sha256: str) -> ImageStore:
    """Raises StoreUnusable, where it holds images of other weights than these, or another process has it open."""
    return EmbeddedStore(settings.index_folder, weights_sha256, min_free_bytes=settings.min_free_bytes)


def open_hashes(
    settings: ImageIndexSettings, weights_sha256: str
) -> AbstractContextManager[Callable[[str], str | None]]:
    """The content's SHA-256 by image id, read while another process may own the store.

    Raises StoreUnusable where an ingest with these weights would be refused.
    """
    return stored_hashes(settings.index_folder, weights_sha256)


def open_keys(settings: ImageIndexSettings) -> PatientKeys:
    """Raises PatientKeyUnusable."""
    configured = settings.patient_key.get_secret_value() if settings.patient_key else None
    return open_patient_keys(settings.index_folder, configured)
