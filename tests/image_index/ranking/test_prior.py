import numpy as np
import pytest

from services.image_index.ranking.prior import (
    LabelSetPrior,
    PriorUnusable,
    count_label_sets,
    read_prior,
    shipped_prior,
    write_prior,
)
from shared.labels import LABELS


def test_the_shipped_prior_counts_the_sets_of_4125_reports():
    prior = shipped_prior()
    assert prior.sets.shape == (142, 14)
    assert prior.counts.sum() == 4125
    assert prior.base_rates[LABELS.index("Lung Opacity")] == pytest.approx(0.323, abs=0.001)


def test_no_finding_is_listed_alone_or_with_devices_only():
    prior = shipped_prior()
    with_it = prior.sets[prior.sets[:, LABELS.index("No Finding")] > 0]
    others = [LABELS.index(label) for label in LABELS if label not in {"No Finding", "Support Devices"}]
    assert not with_it[:, others].any()


def test_every_set_is_possible_and_all_of_them_sum_to_one():
    prior = count_label_sets([[1, 1] + [0] * 12, [0] * 14, [0] * 14])
    every = np.array(np.meshgrid(*[[0.0, 1.0]] * 14)).reshape(14, -1).T
    assert np.exp(prior.log_frequencies_of(every)).sum() == pytest.approx(1)
    assert np.isfinite(prior.log_frequencies_of(every)).all()


def test_a_prior_survives_its_file(tmp_path):
    write_prior(tmp_path / "prior.csv", shipped_prior())
    assert read_prior(tmp_path / "prior.csv").digest == shipped_prior().digest


def test_equal_priors_have_equal_digests_whatever_their_order():
    prior = shipped_prior()
    turned = LabelSetPrior(prior.sets[::-1], prior.counts[::-1])
    assert turned.digest == prior.digest
    assert LabelSetPrior(prior.sets, prior.counts, smoothing=0.2).digest != prior.digest


@pytest.mark.parametrize("damage", ["count", "Edema"])
def test_a_file_without_its_columns_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "prior.csv"
    write_prior(path, shipped_prior())
    path.write_text(path.read_text().replace(damage, "other", 1))
    with pytest.raises(ValueError, match=damage):
        read_prior(path)


@pytest.mark.parametrize(
    ("sets", "counts", "smoothing"),
    [
        (np.zeros((2, 14)), np.ones(2), 0.1),
        (np.full((1, 14), 0.5), np.ones(1), 0.1),
        (np.zeros((1, 14)), np.zeros(1), 0.1),
        (np.zeros((1, 13)), np.ones(1), 0.1),
        (np.zeros((1, 14)), np.ones(1), 0.0),
        (np.eye(14), -np.ones(14), 0.1),
    ],
)
def test_what_is_no_prior_is_refused(sets, counts, smoothing):
    with pytest.raises(ValueError):
        LabelSetPrior(sets, counts, smoothing)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"Edema,count\n1,x\n"])
def test_an_unusable_file_is_named(tmp_path, content):
    path = tmp_path / "prior.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PriorUnusable, match=r"prior\.csv"):
        read_prior(path)
