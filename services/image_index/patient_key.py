"""A patient ID as a keyed hash: equal for equal patients, and telling nothing without the key."""

import hashlib
import hmac
import secrets
from pathlib import Path

KEY_FILE = "patient.key"
_HEX_DIGITS = 16


class PatientKeys:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def key_of(self, patient_id: str) -> str:
        """HMAC-SHA256, the first 16 hex digits. White space around an ID says nothing (DICOM pads with it)."""
        return hmac.new(self._key, patient_id.strip().encode(), hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def open_patient_keys(folder: Path, configured: str | None = None) -> PatientKeys:
    """The configured key, else the one in `folder`, else a new random one that is kept there for its owner alone."""
    if configured:
        return PatientKeys(configured.encode())
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / KEY_FILE
    if not file.exists():
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(secrets.token_hex(32))
        new.rename(file)  # whole or not at all, should the process end here
    return PatientKeys(file.read_bytes())
