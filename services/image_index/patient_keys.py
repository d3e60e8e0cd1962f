"""Patient IDs and accession numbers as keyed hashes: equal for equal ones, and telling nothing without the key."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from shared.private_folder import kept, open_folder

KEY_FILE = "patient.key"
CHECK_FILE = "patient-key.check"
_NO_PATIENT = "patient-key.check, which is longer than the 64 characters that a patient ID may have"
_ACCESSIONS = "accession numbers, by a name that is longer than the 64 characters that a patient ID may have"
_HEX_DIGITS = 16
_WIDEST_NUMBER = 16  # digits to which archives fill their numbers up; each one is a hash for every patient asked for


class PatientKeyUnusable(Exception):
    """The message says why and what to do. Nothing was changed."""


class PatientKeys:
    def __init__(self, key: bytes) -> None:
        self._key = key
        self._accessions = hmac.digest(key, _ACCESSIONS.encode(), "sha256")  # no patient's hash is an accession's

    @property
    def fingerprint(self) -> str:
        """By which the key is known again, and nothing that is hashed with it is."""
        return self.key_of(_NO_PATIENT)

    def keys_of(self, patient_id: str) -> frozenset[str]:
        """All keys under which a patient may be stored, whom one archive writes `20564` and another `00020564`."""
        return frozenset(map(self.key_of, _spellings(patient_id.strip())))

    def key_of(self, patient_id: str) -> str:
        """HMAC-SHA256, the first 16 hex digits. White space around an ID says nothing (DICOM pads with it)."""
        return _hash(self._key, patient_id.strip())

    def accession_key(self, number: str, issuer: str | None = None) -> str:
        """The number's, and where the issuer is known, behind a dot one of both: so the number alone is found too."""
        number, issuer = number.strip(), (issuer or "").strip()
        of_number = _hash(self._accessions, number)
        return f"{of_number}.{_hash(self._accessions, f'{len(number)}:{number}{issuer}')}" if issuer else of_number


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def _spellings(patient_id: str) -> set[str]:
    """As it is, without leading zeros, and of a number with more of them."""
    bare = patient_id.lstrip("0") or patient_id[:1]
    is_number = bare.isascii() and bare.isdigit()
    widths = range(len(bare), _WIDEST_NUMBER + 1) if is_number else ()
    return {patient_id, bare, *(bare.zfill(width) for width in widths)}


def open_patient_keys(
    folder: Path, configured: str | None = None, holds_hashes: Callable[[], bool] = lambda: False
) -> PatientKeys:
    """The configured key, else the one in `folder`, else a new random one that is kept there for its owner alone.

    Raises PatientKeyUnusable where it is not the one that the folder was begun with, or where a new one would have to
    be made for an index that `holds_hashes` already: no patient would be known again, and no accession number.
    """
    open_folder(folder)
    made_anew = not configured and not (folder / KEY_FILE).exists() and not (folder / CHECK_FILE).exists()
    if made_anew and holds_hashes():
        raise PatientKeyUnusable(
            f"The index in {folder} holds patient IDs or accession numbers, hashed with a key that is not there: put a "
            f"copy of {KEY_FILE} in its place, or set CHEX_PATIENT_KEY."
        )
    key = configured.encode() if configured else kept(folder / KEY_FILE, secrets.token_hex(32).encode())
    keys, check = PatientKeys(key), folder / CHECK_FILE
    sign = keys.fingerprint.encode()
    if not key or kept(check, sign) != sign:
        raise PatientKeyUnusable(
            f"The patient IDs in {folder} were hashed with another key than this one: no patient would be known again. "
            f"Set CHEX_PATIENT_KEY back, or put a copy of {KEY_FILE} in its place. Where the index is "
            f"empty, delete {check}."
        )
    return keys
