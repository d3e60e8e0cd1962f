"""The folder that the index lies in: made, and seen to be writable, before anything slow is begun."""

import tempfile
from pathlib import Path

from services.image_index.store.failures import StoreUnusable
from shared.private_folder import open_folder


def make_writable(index_folder: Path) -> None:
    """Raises StoreUnusable, which names the folder and the variable that chooses it."""
    try:
        open_folder(index_folder)
        with tempfile.TemporaryFile(dir=index_folder):
            pass
    except OSError as error:
        raise StoreUnusable(
            f"The data folder {index_folder.parent} cannot be written to: {error.strerror}. Choose another with "
            "CHEX_DATA_DIR (for a command, --data-dir)."
        ) from error
