"""What is refused of a file before it is decoded."""

from dataclasses import dataclass

from shared.errors import PayloadTooLarge


@dataclass(frozen=True)
class Limits:
    """A 43 × 43 cm detector at 0.1 mm has 18.5 million pixels."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 50_000_000
    max_frames: int = 64
    burned_in_annotation: bool = False  # whether a file that says its pixels hold text is read all the same
    max_scans: int = 200  # of a progressive JPEG, which walks over the whole picture for each; encoders make about ten

    def check_bytes(self, size: int) -> None:
        if size > self.max_bytes:
            raise PayloadTooLarge(f"The file has {size:,} bytes; at most {self.max_bytes:,} are read.")

    def check_size(self, rows: int, columns: int) -> None:
        if rows * columns > self.max_pixels:
            raise PayloadTooLarge(
                f"The picture has {rows} × {columns} pixels; at most {self.max_pixels:,} are decoded."
            )

    def check_frames(self, frames: int) -> None:
        if frames > self.max_frames:
            raise PayloadTooLarge(f"The file has {frames} frames; at most {self.max_frames} are accepted.")

    def check_scans(self, scans: int) -> None:
        if scans > self.max_scans:
            raise PayloadTooLarge(f"The JPEG has {scans:,} scans; at most {self.max_scans} are decoded.")
