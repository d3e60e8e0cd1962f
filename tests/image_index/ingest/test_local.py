import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from services.image_index.encoding.encoder import Encoder, Encoding
from services.image_index.ingest.below_root import BY_LINK, NO_PATH, OUTSIDE
from services.image_index.ingest.layouts import Entry, chexpert_study, image_id_of, read_folder, read_table
from services.image_index.ingest.local import ingest_here
from services.image_index.ingest.pipeline import IngestPipeline
from services.image_index.ingest.tally import CONFLICT, SECOND_ID, Tally
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Grey
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import NewImage, PutOutcome
from shared.labels import LABELS
from shared.schemas.images import ImageMetadataInput
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path, encoder: Encoder) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "index", encoder.info.weights_sha256) as store:
        yield store


@pytest.fixture
def ingest(encoder: Encoder, store: EmbeddedStore) -> Callable[..., Tally]:
    def run(entries: object, *, replace: bool = False, on_progress: object = lambda _tally: None) -> Tally:
        keys = PatientKeys(b"key")
        pipeline = IngestPipeline(encoder, keys, limits=Limits(), workers=3, batch=4, lanes=2, replace=replace)
        return ingest_here(pipeline, store, entries, on_progress, replace=replace)

    return run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """18 pictures, of which one is cut short, one is no picture and one is not there; with their table."""
    root = tmp_path / "archive"
    root.mkdir()
    with (root / "labels.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image", "findings", "patient_id", "patient_age", "patient_sex", "view_position"))
        for number in range(18):
            name = f"{number:02d}.png"
            data = png_bytes(picture_of(LABELS[number % 14], brightness=150 + number))
            data = {3: data[:-40], 7: b"not a picture"}.get(number, data)
            if number != 11:
                (root / name).write_bytes(data)
            writer.writerow((name, "", f"p{number // 2}", 40 + number, "F", "PA"))
    return root


def entries_of(archive: Path) -> list[Entry]:
    return list(read_table(archive / "labels.csv", archive))


def test_all_that_can_be_read_is_indexed_and_the_rest_is_reported_with_its_reason(
    ingest: Callable[..., Tally], store: EmbeddedStore, archive: Path
) -> None:
    tally = ingest(entries_of(archive))

    assert (tally.indexed, tally.unchanged) == (15, 0)
    reasons = {failure.entry.image_id: failure.reason for failure in tally.failures}
    assert set(reasons) == {"03", "07", "11"}
    assert "damaged" in reasons["03"]
    assert "neither PNG" in reasons["07"]
    assert "No such file" in reasons["11"]
    record = store.get("04")
    assert record is not None
    assert max(record.probabilities, key=record.probabilities.__getitem__) == LABELS[4]
    assert record.metadata.patient_age == 44
    assert record.metadata.patient_key == PatientKeys(b"key").key_of("p2")


def test_a_second_run_encodes_nothing_again(
    ingest: Callable[..., Tally], store: EmbeddedStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(entries_of(archive))
    generation = store.info().generation
    monkeypatch.setattr(Encoder, "encode", lambda *_: pytest.fail("encoded again"))
    tally = ingest(entries_of(archive))

    assert (tally.indexed, tally.unchanged, len(tally.failures)) == (0, 15, 3)
    assert store.info().generation == generation


def test_a_changed_file_is_a_conflict_unless_it_is_to_be_replaced(
    ingest: Callable[..., Tally], store: EmbeddedStore, archive: Path
) -> None:
    ingest(entries_of(archive))
    (archive / "04.png").write_bytes(png_bytes(picture_of("Fracture")))

    assert CONFLICT in [failure.reason for failure in ingest(entries_of(archive)).failures]
    assert ingest(entries_of(archive), replace=True).indexed == 15
    record = store.get("04")
    assert record is not None
    assert record.probabilities["Fracture"] > 0.9


def test_two_files_under_one_id_are_a_conflict_of_the_second(ingest: Callable[..., Tally], archive: Path) -> None:
    entries = [Entry("same", archive / name, ImageMetadataInput()) for name in ("00.png", "01.png")]
    tally = ingest(entries)

    assert (tally.indexed, [failure.reason for failure in tally.failures]) == (1, [CONFLICT])


def test_progress_counts_up_to_every_entry(ingest: Callable[..., Tally], archive: Path) -> None:
    seen: list[int] = []
    ingest(entries_of(archive), on_progress=lambda tally: seen.append(tally.done))

    assert seen == sorted(seen)
    assert seen[-1] == 18


def test_a_folder_of_dicom_files_is_indexed_without_a_table(
    ingest: Callable[..., Tally], store: EmbeddedStore, tmp_path: Path
) -> None:
    folder = tmp_path / "dicom" / "study"
    folder.mkdir(parents=True)
    (folder / "one.dcm").write_bytes(to_bytes(made_dicom()))
    (folder / "two").write_bytes(to_bytes(made_dicom(ViewPosition="AP")))
    (folder / "ct.dcm").write_bytes(to_bytes(made_dicom(Modality="CT")))
    tally = ingest(read_folder(tmp_path / "dicom"))

    assert (tally.indexed, len(tally.failures)) == (2, 1)
    record = store.get("study:two")
    assert record is not None
    assert (record.metadata.view_position, record.metadata.patient_sex) == ("AP", "F")


def test_a_long_stream_is_never_held_whole_and_batches_fill(encoder: Encoder, archive: Path) -> None:
    batches: list[int] = []
    ahead: list[int] = []
    taken = written = 0

    class CountingEncoder(Encoder):
        def encode(self, squares: Sequence[Grey]) -> list[Encoding]:
            batches.append(len(squares))
            return super().encode(squares)

    class SlowStore(RefusingStore):
        """The slowest part: all that is read ahead of it piles up before it."""

        def put(self, images: Sequence[NewImage], *, replace: bool = False) -> list[PutOutcome]:
            nonlocal written
            time.sleep(0.01)
            ahead.append(taken - written)
            written += len(images)
            return [PutOutcome.CREATED] * len(images)

    def stream() -> Iterator[Entry]:
        nonlocal taken
        for number in range(501):
            taken += 1
            yield Entry(f"i{number}", archive / "00.png", ImageMetadataInput())

    counting = CountingEncoder(encoder._folder, encoder._session, encoder._base_rates)
    pipeline = IngestPipeline(counting, PatientKeys(b"key"), limits=Limits(), workers=2, batch=4, lanes=2)
    tally = ingest_here(pipeline, SlowStore(), stream())

    assert tally.indexed == 501
    assert pipeline.most_held < 30
    assert max(ahead) <= pipeline.most_held + 2 * 4  # one batch is being written, one waits for it
    assert sorted(batches) == [1] + [4] * 125


class RefusingStore:
    """A store that is never searched."""

    def stored_sha256(self, _image_id: str) -> None:
        return None

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was called")


def run_command(tiny_model: Path, data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHEX_IMAGE_MODEL": str(tiny_model), "CHEX_DATA_DIR": str(data_dir)}
    environment |= {"CHEX_DEVICE": "cpu", "COLUMNS": "200"}
    command = [sys.executable, "-m", "services.image_index", "ingest", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_the_command_reports_goes_on_and_writes_the_failures(tiny_model: Path, archive: Path, tmp_path: Path) -> None:
    report = tmp_path / "failures.csv"
    result = run_command(
        tiny_model,
        tmp_path / "data",
        *("--csv", str(archive / "labels.csv"), "--images-root", str(archive), "--report", str(report)),
    )

    assert result.returncode == 0, result.stderr
    assert "15 indexed" in result.stdout
    assert "3 could not be indexed" in result.stdout
    with report.open() as stream:
        assert [line["image_id"] for line in csv.DictReader(stream)] == ["03", "07", "11"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--images-root", "/nowhere"), "there is no folder /nowhere"),
        (("--csv", "/nowhere.csv", "--images-root", "."), "No such file"),
        (("--images-root", ".", "--report", "/nowhere/report.csv"), "/nowhere/report.csv: No such file"),
        (("--images-root", ".", "--report", "/dev"), "/dev: Is a directory"),
        (("--csv", "pyproject.toml", "--images-root", "."), "none of the columns"),
        (("--csv", "tests", "--images-root", "."), "tests: Is a directory"),
        (("--images-root", ".", "--data-dir", "pyproject.toml"), "The data folder pyproject.toml cannot be written to"),
        (("--images-root", ".", "--engine", "ray", "--ray-address", "nonsense"), "--ray-address"),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(
    tiny_model: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = run_command(tiny_model, tmp_path, *arguments)

    assert result.returncode == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("how", [[], ["--dry-run"]])
def test_a_line_that_leads_out_of_the_root_fails_by_name_and_the_others_are_indexed(
    tiny_model: Path, tmp_path: Path, archive: Path, how: list[str]
) -> None:
    (tmp_path / "secret.png").write_bytes(png_bytes(picture_of("Edema")))
    (archive / "link.png").symlink_to(tmp_path / "secret.png")
    lines = ["image", "../secret.png", str(tmp_path / "secret.png"), "link.png", "a\0b.png", "00.png"]
    (tmp_path / "out.csv").write_text("\n".join(lines), encoding="utf-8")
    report = tmp_path / "report.json"
    table = ("--csv", str(tmp_path / "out.csv"), "--images-root", str(archive), "--report", str(report))
    result = run_command(tiny_model, tmp_path / "data", *table, *how)

    assert result.returncode == 0, result.stderr
    written = json.loads(report.read_text())
    assert written["indexed"] == 1
    assert [failure["reason"] for failure in written["failures"]] == [OUTSIDE, OUTSIDE, BY_LINK, NO_PATH]
    assert run_command(tiny_model, tmp_path / "data", *table, "--follow-links", *how).returncode == 0
    assert [failure["reason"] for failure in json.loads(report.read_text())["failures"]] == [OUTSIDE, OUTSIDE, NO_PATH]


def test_a_table_without_a_line_is_told_and_not_taken_for_done(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "header.csv").write_text("image,findings\n")
    result = run_command(tiny_model, tmp_path, "--csv", str(tmp_path / "header.csv"), "--images-root", str(tmp_path))

    assert (result.returncode, result.stderr) == (
        1,
        f"image-index: {tmp_path / 'header.csv'} holds no line below its header.\n",
    )


def test_a_file_far_too_long_is_refused_unread(ingest: Callable[..., Tally], tmp_path: Path) -> None:
    with (tmp_path / "disk.img").open("wb") as stream:
        stream.truncate(2**40)  # more than any machine would hold
    (failure,) = ingest([Entry("disk", tmp_path / "disk.img", ImageMetadataInput())]).failures

    assert "1,099,511,627,776 bytes; at most" in failure.reason


def test_a_report_can_name_a_file_whose_name_is_no_text(tiny_model: Path, tmp_path: Path) -> None:
    root = tmp_path / "odd"
    root.mkdir()
    (root / os.fsdecode(b"caf\xe9.png")).write_bytes(b"not a picture")
    for report in (tmp_path / "report.csv", tmp_path / "report.json"):
        result = run_command(tiny_model, tmp_path / "data", "--images-root", str(root), "--report", str(report))
        assert "Traceback" not in result.stderr
        assert "caf\\udce9.png" in report.read_text(encoding="utf-8")


def many_pictures(root: Path) -> Path:
    root.mkdir()
    for number in range(1500):
        picture = picture_of(LABELS[number % 14], brightness=100 + number % 150)
        (root / f"{number:04d}.png").write_bytes(png_bytes(picture, str(number)))
    return root


def wait_for_commits(data_dir: Path) -> None:
    """Until an ingest in another process has committed some of them."""
    database = data_dir / "image-index" / "index.sqlite3-wal"
    deadline = time.monotonic() + 120
    while not (database.exists() and database.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.002)


def test_ctrl_c_ends_an_ingest_with_130_and_keeps_what_was_committed(
    tiny_model: Path, tmp_path: Path, encoder: Encoder
) -> None:
    root = many_pictures(tmp_path / "many")
    environment = {**os.environ, "CHEX_IMAGE_MODEL": str(tiny_model), "CHEX_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "services.image_index", "ingest", "--device", "cpu", "--images-root", str(root)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_commits(tmp_path / "data")
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, "")
    assert "What was indexed stays" in said
    with EmbeddedStore(tmp_path / "data" / "image-index", encoder.info.weights_sha256) as store:
        assert 0 < store.info().size < 1500


def test_an_ingest_that_was_killed_goes_on_and_does_nothing_twice(
    tiny_model: Path, tmp_path: Path, encoder: Encoder
) -> None:
    root = many_pictures(tmp_path / "many")
    environment = {**os.environ, "CHEX_IMAGE_MODEL": str(tiny_model), "CHEX_DATA_DIR": str(tmp_path / "data")}
    environment |= {"CHEX_DEVICE": "cpu"}
    command = [sys.executable, "-m", "services.image_index", "ingest", "--images-root", str(root)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL) as process:
        wait_for_commits(tmp_path / "data")
        process.send_signal(signal.SIGKILL)
    with EmbeddedStore(tmp_path / "data" / "image-index", encoder.info.weights_sha256) as store:
        before = store.info().size
    result = run_command(tiny_model, tmp_path / "data", "--images-root", str(root))

    assert 0 < before < 1500
    assert f"{1500 - before} indexed" in result.stdout
    assert f"{before} were there already" in result.stdout
    with EmbeddedStore(tmp_path / "data" / "image-index", encoder.info.weights_sha256) as store:
        assert (store.info().size, store.info().generation) == (1500, 1500)


@pytest.mark.real_data
def test_the_real_folders_are_read_by_their_tables(real_data: Path) -> None:
    for name, count in (("nih_chestxray14_boxes", 999), ("nih_chestxray14_sample", 822)):
        entries = list(read_table(real_data / name / "labels.csv", real_data / name))
        assert len(entries) == count
        assert all(entry.file.is_file() for entry in entries)
        assert len({entry.image_id for entry in entries}) == count
        assert all(entry.metadata.view_position and entry.metadata.patient_id for entry in entries)


@pytest.mark.real_data
def test_real_dicom_files_are_indexed_with_their_metadata(
    ingest: Callable[..., Tally], store: EmbeddedStore, real_data: Path
) -> None:
    tally = ingest(read_folder(real_data / "dicom"))

    assert tally.indexed == 2
    records = [store.get(name) for name in ("chest_pa_j2k_mono1", "chest_pa_jpeg_mono2")]
    assert [record and record.metadata.view_position for record in records] == ["PA", "PA"]
    assert [record and record.metadata.patient_sex for record in records] == ["F", "M"]
    assert "9RG1" not in json.dumps([record and record.model_dump() for record in records])


def test_a_study_that_a_table_invents_is_marked_unless_the_file_names_its_own(
    ingest: Callable[..., Tally], store: EmbeddedStore, tmp_path: Path
) -> None:
    files = {
        "train/patient1/study1/a.png": png_bytes(picture_of("Edema")),
        "train/patient1/study1/b.dcm": to_bytes(made_dicom()),
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "labels.csv").write_text("\n".join(["Path", *files]))
    assert ingest(entries_of(tmp_path)).indexed == 2
    png, dicom = (store.get(image_id_of(name)) for name in files)

    assert png is not None
    assert dicom is not None
    assert (png.metadata.study_instance_uid, png.metadata.study_invented) == (
        chexpert_study(next(iter(files)))[1],
        True,
    )
    assert (dicom.metadata.study_instance_uid, dicom.metadata.study_invented) == (made_dicom().StudyInstanceUID, False)
    assert png.pictured


def test_a_file_that_is_there_under_another_id_is_named_and_stops_nothing(
    ingest: Callable[..., Tally], store: EmbeddedStore, archive: Path
) -> None:
    (archive / "17.png").write_bytes((archive / "05.png").read_bytes())
    tally = ingest(entries_of(archive))

    assert tally.indexed == 14
    assert {failure.entry.image_id: failure.reason for failure in tally.failures}["17"] == SECOND_ID
    assert (store.get("05") is None, store.get("17") is None) == (False, True)
    again = ingest(entries_of(archive), replace=True)
    assert (again.indexed, store.info().size) == (14, 14)
