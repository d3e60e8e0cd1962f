"""One output is taught anew, and nothing else of the folder moves."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.image_index.examples.datasets import LabelledImages
from services.image_index.examples.sources import phantom_images
from services.image_index.networks.build import build_network, build_torch
from services.image_index.parts import open_model
from services.image_index.training.augment import normalise
from services.image_index.training.export import export_encoder
from services.image_index.training.measure import measure
from services.image_index.training.pipeline import Parts
from services.image_index.training.refit import choose_reading, feature_maps, members_of
from services.image_index.training.refit_folder import read_weights
from services.image_index.training.refit_run import Refit, refit
from services.workbench.checkpoint_file import save_checkpoint
from shared.labels import LABELS

pytestmark = pytest.mark.slow

LABEL = "Fracture"
COLUMN = LABELS.index(LABEL)


def _as_read(pictures: LabelledImages, bright: np.ndarray) -> LabelledImages:
    """Pictures of patients, of whom readers say that the bright ones show the label, and of no other label anything."""
    pixels = pictures.pixels // 2
    pixels[bright] += 110
    known = np.zeros_like(pictures.known)
    known[:, COLUMN] = True
    targets = np.zeros_like(pictures.targets)
    targets[:, COLUMN] = bright
    return replace(pictures, pixels=pixels, targets=targets, known=known, sources=np.full(len(pictures), "hospital"))


@pytest.fixture(scope="module")
def pictures() -> LabelledImages:
    return phantom_images(60, seed=8, size=64, balance=1.0, workers=1)


@pytest.fixture(scope="module")
def read(pictures: LabelledImages) -> Parts:
    bright = np.arange(len(pictures)) % 3 == 0
    images = _as_read(pictures, bright)
    return Parts(images, images, images, readers=["panel.csv"])


@pytest.fixture(scope="module")
def folder(pictures: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two networks, whose outputs are as they came."""
    made = tmp_path_factory.mktemp("model")
    checkpoints = []
    for seed, architecture in enumerate(("efficientnet_lite0", "efficientnet_lite2")):
        torch.manual_seed(seed)
        network = build_network(architecture, pretrained=True)
        checkpoints.append(made / f"{seed}.pt")
        save_checkpoint(checkpoints[-1], {"architecture": architecture, "side": 64, "average": network.state_dict()})
    export_encoder(Parts(pictures, pictures, pictures), checkpoints, made / "model")
    return made / "model"


@pytest.fixture(scope="module")
def taught(folder: Path, read: Parts, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Refit]:
    new = tmp_path_factory.mktemp("taught")
    return new, refit(folder, new, LABEL, read, version="1.1.0")


def test_only_the_one_output_is_taught_and_it_learns(folder: Path, read: Parts, taught: tuple[Path, Refit]) -> None:
    new_folder, found = taught
    assert found.written
    assert found.after.auroc > 0.95 > found.before.auroc
    before, after = (open_model(each, device="cpu") for each in (folder, new_folder))
    others = np.arange(len(LABELS)) != COLUMN
    squares = list(read.test.pixels[:6])
    for old, new in zip(before.encode(squares), after.encode(squares), strict=True):
        assert np.array_equal(old.probabilities[others], new.probabilities[others])
        assert np.array_equal(old.cam[others], new.cam[others])
        assert not np.array_equal(old.cam[COLUMN], new.cam[COLUMN])
    assert (folder / "model.onnx").read_bytes() == (new_folder / "model.onnx").read_bytes()
    told = np.array([one.probabilities[COLUMN] for one in after.encode(list(read.test.pixels))])
    shown = read.test.targets[:, COLUMN] > 0
    assert abs(told.mean() - shown.mean()) < 0.05  # calibrated
    assert ((told >= after.thresholds[COLUMN]) == shown).mean() > 0.9


def test_the_new_folder_says_what_its_label_rests_on(folder: Path, taught: tuple[Path, Refit]) -> None:
    old, new = (json.loads((each / "config.json").read_text()) for each in (folder, taught[0]))
    assert (old["label_support"][LABEL], new["label_support"][LABEL]) == ("phantom", "real")
    assert new["version"] == "1.1.0"
    assert new["refitted"][LABEL]["readers"] == ["panel.csv"]
    assert new["refitted"][LABEL]["training_positives"] == 20
    assert {name for name in old if old[name] != new[name]} == {"version", "label_support"}
    assert open_model(taught[0], device="cpu").details.unproven == [name for name in LABELS if name != LABEL]


def test_weights_of_other_labels_stay_bit_for_bit(folder: Path, taught: tuple[Path, Refit]) -> None:
    old, new = read_weights(folder), read_weights(taught[0])
    assert old.keys() == new.keys()
    moved = {name for name in old if not np.array_equal(old[name], new[name])}
    heads = {f"network.members.{member}.head.{part}" for member in (0, 1) for part in ("weight", "bias")}
    assert moved == heads | {"usual"}
    for name in heads:
        assert np.array_equal(np.delete(old[name], COLUMN, axis=0), np.delete(new[name], COLUMN, axis=0))
    assert np.array_equal(np.delete(old["usual"], COLUMN, axis=1), np.delete(new["usual"], COLUMN, axis=1))


def test_the_new_map_is_centred_on_usual_pictures_and_its_mean_is_the_logit(
    read: Parts, taught: tuple[Path, Refit]
) -> None:
    with torch.no_grad():
        out = build_torch(taught[0])(normalise(read.train.pixels))
    cam = out["cam"][:, COLUMN]
    assert torch.allclose(cam.mean(dim=(1, 2)), out["logits"][:, COLUMN], atol=1e-5)
    assert cam.mean(dim=0).std() < 2e-3 < cam.std(dim=(1, 2)).mean()  # in half precision


def test_a_label_that_is_read_no_better_than_by_chance_is_not_written(
    folder: Path, read: Parts, tmp_path: Path
) -> None:
    shuffled = np.random.default_rng(5).permutation(read.test.targets[:, COLUMN])
    targets = read.test.targets.copy()
    targets[:, COLUMN] = shuffled
    found = refit(folder, tmp_path / "new", LABEL, replace(read, test=replace(read.test, targets=targets)), version="2")

    assert not found.written
    assert found.after.interval is not None
    assert found.after.interval[0] <= 0.5
    assert not (tmp_path / "new").exists()


def test_a_card_says_which_label_was_taught_anew_and_judges_by_readers_apart(
    pictures: LabelledImages, read: Parts, taught: tuple[Path, Refit]
) -> None:
    parts = Parts(pictures, pictures, pictures, read=read.test, readers=["panel.csv"])
    reports = measure(taught[0], parts)

    card = (taught[0] / "README.md").read_text(encoding="utf-8")
    assert "**Fracture was taught anew, alone**" in card
    assert "(panel.csv)" in card
    assert "## Figures: hospital, test patients, by radiologists" in card
    by_readers = reports["hospital, test patients, by radiologists"]
    assert set(by_readers["labels"]) == {LABEL}
    assert by_readers["labels"][LABEL]["auroc"] > 0.95
    mined = card.index("## Figures: phantoms of other seeds")
    assert mined < card.index("## Figures: judged by radiologists") < card.index("## Figures: hospital")


def test_too_few_readings_are_refused_in_words(folder: Path, read: Parts, tmp_path: Path) -> None:
    rare = replace(read.validation, targets=read.validation.targets.copy())
    rare.targets[4:, COLUMN] = 0
    with pytest.raises(ValueError, match="of 60 pictures of validation patients that were read for Fracture, 2 show"):
        refit(folder, tmp_path, LABEL, replace(read, validation=rare), version="1.1.0")


def test_features_are_read_as_the_network_reads_them(folder: Path, read: Parts) -> None:
    network = build_torch(folder)
    members = members_of(network)
    pooled, maps = feature_maps(members, read.test.pixels[:5])
    weights = np.concatenate([member.head.weight.detach().numpy()[:, :, 0, 0] for member in members], axis=1) / 2
    with torch.no_grad():
        logits = network(normalise(read.test.pixels[:5]))["logits"].numpy()
        bias = np.mean([member.head.bias.detach().numpy() for member in members], axis=0)
    assert np.abs(pooled @ weights.T + bias - logits).max() < 1e-4
    assert np.allclose(maps.mean(axis=(1, 2)), pooled.mean(axis=0))


def test_the_penalty_is_chosen_on_the_validation_part() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(80) < 0.4).astype(np.float32)
    features = rng.normal(0.0, 1.0, (80, 200))
    features[:, 0] += 2 * truth
    noise = rng.normal(0.0, 1.0, (80, 200))
    noise[:, 0] += 2 * truth[::-1]
    choice = choose_reading((features, truth), (noise, truth[::-1]))
    assert choice.penalty == min(choice.losses, key=lambda penalty: choice.losses[penalty])
    assert choice.losses[choice.penalty] < choice.losses[1.0]  # a weak penalty learns the noise by heart


def test_networks_of_other_people_are_refused() -> None:
    with pytest.raises(ValueError, match="trained here"):
        members_of(torch.nn.Linear(2, 2))
