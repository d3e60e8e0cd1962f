"""What is exported answers as the network does, and says what it is."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.image_index.examples.datasets import LabelledImages, join
from services.image_index.examples.side_facts import no_side_facts
from services.image_index.examples.sources import phantom_images
from services.image_index.networks.build import build_network, build_torch
from services.image_index.training.augment import normalise
from services.image_index.training.calibration import fit_calibration, rising
from services.image_index.training.checkpoints import load_network
from services.image_index.training.export import export_encoder
from services.image_index.training.measure import measure
from services.image_index.training.pipeline import Parts
from services.image_index.training.train import Trainer, TrainOptions, centre_maps
from services.inference.session import open_session
from services.workbench.checkpoint_file import save_checkpoint
from services.workbench.platt import Platt
from shared.labels import LABELS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures() -> LabelledImages:
    return phantom_images(70, seed=8, size=64, balance=1.0, workers=1)


@pytest.fixture(scope="module")
def exported(pictures: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint, and the folder made of it."""
    run, folder = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("model")
    options = TrainOptions(pretrained=True, epochs=1, batch=16, warm_up_steps=2)
    best = Trainer(options, pictures, pictures, run).fit()
    export_encoder(Parts(pictures, pictures, pictures), [best], folder)
    measure(folder, Parts(pictures, pictures, pictures), notes="Nothing else.")
    return best, folder


@pytest.fixture(scope="module")
def answers(exported: tuple[Path, Path], pictures: LabelledImages) -> dict[str, np.ndarray]:
    """What the exported graph says of the first five pictures."""
    return open_session(exported[1], device="cpu").run({"pixels": normalise(pictures.pixels[:5]).numpy()})


def test_the_graph_answers_as_torch_does(
    exported: tuple[Path, Path], answers: dict[str, np.ndarray], pictures: LabelledImages
) -> None:
    """Against torch with the same half-precision weights."""
    with torch.no_grad():
        expected = build_torch(exported[1])(normalise(pictures.pixels[:5]))
    assert np.abs(answers["logits"] - expected["logits"].numpy()).max() < 1e-4
    assert np.abs(answers["cam"] - expected["cam"].numpy()).max() < 1e-3


def test_several_networks_answer_as_their_mean(
    exported: tuple[Path, Path], pictures: LabelledImages, tmp_path: Path
) -> None:
    start, options = exported[0], TrainOptions(epochs=1, batch=16, seed=3, learning_rate=2e-3)
    other = Trainer(options, pictures, pictures, tmp_path / "run").fit()
    folder = tmp_path / "model"
    export_encoder(Parts(pictures, pictures, pictures), [start, other], folder)
    pixels = normalise(pictures.pixels[:5])
    served = open_session(folder, device="cpu").run({"pixels": pixels.numpy()})
    with torch.no_grad():
        each = [load_network(checkpoint)(pixels)["logits"] for checkpoint in (start, other)]
        by_torch = build_torch(folder)(pixels)["logits"]
    assert not torch.allclose(each[0], each[1], atol=0.1)
    assert np.abs(served["logits"] - (each[0] + each[1]).numpy() / 2).max() < 0.05  # weights in half precision
    assert np.abs(served["logits"] - by_torch.numpy()).max() < 1e-4


def test_members_of_an_ensemble_may_differ_in_architecture(
    exported: tuple[Path, Path], pictures: LabelledImages, tmp_path: Path
) -> None:
    larger, other = build_network("efficientnet_lite2", pretrained=True).eval(), tmp_path / "other.pt"
    save_checkpoint(other, {"architecture": "efficientnet_lite2", "side": 64, "average": larger.state_dict()})
    folder = tmp_path / "model"
    export_encoder(Parts(pictures, pictures, pictures), [exported[0], other], folder)
    measure(folder, Parts(pictures, pictures, pictures))
    pixels = normalise(pictures.pixels[:5])
    with torch.no_grad():
        each = [network(pixels)["logits"].numpy() for network in (load_network(exported[0]), larger)]
        by_torch = build_torch(folder)(pixels)["logits"].numpy()
    served = open_session(folder, device="cpu").run({"pixels": pixels.numpy()})["logits"]
    assert np.abs(served - (each[0] + each[1]) / 2).max() < 0.05  # weights in half precision
    assert np.abs(served - by_torch).max() < 1e-4
    assert json.loads((folder / "config.json").read_text())["architecture"] == "efficientnet_lite0 + efficientnet_lite2"
    assert "(2 networks, whose maps are averaged)" in (folder / "README.md").read_text()


def test_half_precision_changes_little(
    exported: tuple[Path, Path], answers: dict[str, np.ndarray], pictures: LabelledImages
) -> None:
    with torch.no_grad():
        full = load_network(exported[0])(normalise(pictures.pixels[:5]))["logits"].numpy()
    assert np.abs(answers["logits"] - full).max() < 0.05


def test_exported_logits_are_the_mean_of_the_maps(answers: dict[str, np.ndarray]) -> None:
    assert answers["cam"].shape == (5, 14, 2, 2)
    assert np.allclose(answers["logits"], answers["cam"].mean(axis=(2, 3)), atol=1e-5)


def test_maps_are_centred_on_usual_pictures_and_no_logit_moves(pictures: LabelledImages) -> None:
    torch.manual_seed(1)
    network = build_network("efficientnet_lite0", pretrained=True).eval()
    centred = centre_maps(network, pictures.pixels)
    with torch.no_grad():
        plain, out = network(normalise(pictures.pixels)), centred(normalise(pictures.pixels))
    assert torch.allclose(out["logits"], plain["logits"], atol=1e-4)
    spread = out["cam"].mean(dim=0).flatten(1).std(dim=1)  # over the grid, of the mean map
    assert spread.max() < 1e-4 < plain["cam"].mean(dim=0).flatten(1).std(dim=1).min()


def test_the_folder_says_what_it_is(exported: tuple[Path, Path]) -> None:
    folder = exported[1]
    config = json.loads((folder / "config.json").read_text())
    assert config["labels"] == list(LABELS)
    assert (config["input_size"], config["channels"]) == (64, 1)
    assert set(config["label_support"].values()) == {"phantom"}
    assert set(json.loads((folder / "calibration.json").read_text())) == set(LABELS)
    card = (folder / "README.md").read_text()
    assert "Not a diagnostic device" in card
    assert "Nothing else." in card
    assert "| Edema |" in card
    assert "70 training pictures of phantoms" in card
    assert "**Phantoms only**: Atelectasis" in card
    assert "Maps are 2 x 2" in card
    assert "NIH" not in card  # nothing is said of pictures that were not there


def test_support_is_real_only_where_real_pictures_show_the_label(pictures: LabelledImages) -> None:
    from services.image_index.training.export import label_support

    only_edema = pictures.known & (np.array(LABELS) == "Edema")
    real = replace(pictures, known=only_edema, sources=np.full(len(pictures), "hospital"))
    support = label_support(join([real, pictures]))
    assert support["Edema"] == "real"
    assert support["Fracture"] == "phantom"
    assert set(label_support(real).values()) == {"real", "none"}


def test_few_positives_cannot_turn_the_slope_around() -> None:
    assert rising(Platt(-0.4, 2.0)) == Platt(0.1, 2.0)
    assert rising(Platt(0.7, 2.0)) == Platt(0.7, 2.0)


def test_a_label_that_real_pictures_leave_unknown_is_not_found_in_most_of_them() -> None:
    """Devices known on phantoms only, and a network that sees them in every real picture."""
    rng = np.random.default_rng(3)
    column = LABELS.index("Support Devices")
    truth = (rng.random(400) < 0.4).astype(np.float32)
    logits = np.zeros((800, 14), dtype=np.float32)
    logits[:400, column] = np.where(truth, 5.0, -3.0) + rng.normal(0.0, 1.0, 400)
    logits[400:, column] = rng.normal(2.0, 1.0, 400)
    known, targets = np.ones((800, 14), dtype=bool), np.zeros((800, 14), dtype=np.float32)
    known[400:, column], targets[:400, column] = False, truth
    sources = np.array(["phantoms"] * 400 + ["hospital"] * 400)
    side_facts = np.stack([no_side_facts()] * 800)
    pictures = LabelledImages(np.zeros((800, 2, 2), np.uint8), targets, known, sources, sources, side_facts)
    calibration, thresholds = fit_calibration(logits, pictures)
    probabilities = calibration["Support Devices"](logits[:, column])
    assert probabilities[400:].mean() <= 0.2001
    assert (probabilities[400:] >= thresholds["Support Devices"]).mean() <= 0.21
    assert ((probabilities[:400] >= thresholds["Support Devices"]) == (truth > 0)).mean() > 0.9


def test_a_label_that_no_picture_annotates_is_left_as_it_is() -> None:
    """Without phantoms, a collection's missing labels have neither a curve nor a threshold to be fitted."""
    rng = np.random.default_rng(4)
    known, targets = np.ones((40, 14), dtype=bool), (rng.random((40, 14)) < 0.5).astype(np.float32)
    known[:, LABELS.index("Fracture")] = False
    names, side_facts = np.full(40, "hospital"), np.stack([no_side_facts()] * 40)
    pictures = LabelledImages(np.zeros((40, 2, 2), np.uint8), targets, known, names, names, side_facts)
    calibration, thresholds = fit_calibration(rng.normal(0.0, 1.0, (40, 14)).astype(np.float32), pictures)
    assert (calibration["Fracture"].slope, thresholds["Fracture"]) == (1.0, 0.5)
