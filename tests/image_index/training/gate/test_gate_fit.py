"""The gate is fitted on drawn pictures alone: no data beside the repository are needed."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from services.image_index.encoding.chest_gate import ChestGate, Parameters, shipped_gate
from services.image_index.encoding.chest_gate.features import Features
from services.image_index.encoding.chest_gate.gate import SHIPPED
from services.image_index.encoding.chest_gate.orientation import QUARTERS, OrientationHead
from services.image_index.examples.phantoms import make_phantom
from services.image_index.training.gate.commands import fit_chest_gate
from services.image_index.training.gate.examples import all_features, others, with_variations
from services.image_index.training.gate.fit import REFUSED, calibrated, fit
from services.image_index.training.gate.negatives import FAMILIES, kinds
from services.image_index.training.gate.orientation import fit_head, told_turned

pytestmark = pytest.mark.slow

RADIOGRAPHS = [make_phantom(300 + seed, size=128).pixels for seed in range(24)]


@pytest.fixture(scope="module")
def chests() -> Features:
    return np.concatenate([with_variations(RADIOGRAPHS[:16], seed) for seed in (1, 2, 3)])


@pytest.fixture(scope="module")
def negatives() -> dict[str, Features]:
    return others(RADIOGRAPHS[:16], seed=5, slow=6, fast=8)


def test_every_kind_belongs_to_one_family() -> None:
    members = [kind for family in FAMILIES.values() for kind in family]
    assert len(members) == len(set(members))
    assert set(kinds(RADIOGRAPHS)) <= set(members)


def test_drawn_pictures_are_grey_and_the_same_for_the_same_seed() -> None:
    for kind, draw in kinds(RADIOGRAPHS).items():
        one, same, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert (one.dtype, one.ndim) == (np.uint8, 2), kind
        assert np.array_equal(one, same), kind
        assert one.shape != other.shape or not np.array_equal(one, other), kind


def test_the_same_examples_give_the_same_file(chests: Features, negatives: dict[str, Features], tmp_path: Path) -> None:
    seen = np.concatenate(list(negatives.values()))
    for name in ("a.npz", "b.npz"):
        calibrated(fit(chests, seen, components=24, epochs=40), [chests]).write(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_fitted_gate_parts_what_it_was_fitted_on_after_it_is_written_and_read(
    chests: Features, negatives: dict[str, Features], tmp_path: Path
) -> None:
    seen = np.concatenate(list(negatives.values()))
    fitted = calibrated(fit(chests, seen, components=24, epochs=40), [chests])
    fitted.write(tmp_path / "gate.npz")
    gate = ChestGate(Parameters.read(tmp_path / "gate.npz"))
    assert (gate.scores(chests) >= 0.5).mean() > 0.98
    assert (gate.scores(seen) < 0.5).mean() > 0.95
    assert np.abs(gate.scores(seen) - ChestGate(fitted).scores(seen)).max() < 0.02


def test_half_parts_off_the_few_lowest_radiographs_of_the_worst_set(chests: Features) -> None:
    shipped = shipped_gate()._parameters
    lower = calibrated(shipped, [chests])
    both = calibrated(shipped, [chests, chests[:40]])
    for parameters in (lower, both):
        assert (ChestGate(parameters).scores(chests) >= 0.499).mean() >= 1 - REFUSED - 1 / len(chests)


def test_the_shipped_gate_refuses_new_pictures_of_every_family() -> None:
    judged = others(RADIOGRAPHS[16:], seed=77, slow=6, fast=12)
    shares = {kind: (shipped_gate().scores(features) < 0.5).mean() for kind, features in judged.items()}
    families = {name: np.mean([shares[kind] for kind in family if kind in shares]) for name, family in FAMILIES.items()}
    assert min(families.values()) > 0.6, families
    assert np.mean(list(shares.values())) > 0.9, shares


def test_what_is_fitted_replaces_the_gate_that_is_shipped() -> None:
    assert inspect.signature(fit_chest_gate).parameters["out"].default == SHIPPED
    assert SHIPPED.is_file()


def test_a_fitted_head_finds_turned_pictures_after_it_is_written_and_read_and_is_the_same_each_time(
    tmp_path: Path,
) -> None:
    for name in ("a.npz", "b.npz"):
        fit_head(RADIOGRAPHS[:16]).write(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    head = OrientationHead.read(tmp_path / "a.npz")
    for quarters in range(QUARTERS):
        features = all_features([np.rot90(picture, -quarters) for picture in RADIOGRAPHS[16:]])
        assert (head.probabilities(features).argmax(axis=1) == quarters).all()


def test_what_is_told_of_turned_pictures_is_counted_by_turn() -> None:
    told = told_turned(RADIOGRAPHS[:8])
    assert (told["pictures"], told["upright told turned"]) == (8, 0)
    assert min(told[f"turned by {degrees}"] for degrees in (90, 180, 270)) > 0.8
    assert told_turned([np.rot90(picture) for picture in RADIOGRAPHS[:8]])["upright told turned"] > 0.8
