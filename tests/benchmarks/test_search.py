import numpy as np
import pytest

from services.image_index.ranking import Query, rank
from services.image_index.store.growing import GrowingGallery
from services.image_index.store.row import make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata

pytestmark = pytest.mark.benchmark

CHEXPERT_IMAGES = 224_316


@pytest.fixture(scope="module")
def probabilities() -> np.ndarray:
    return np.random.default_rng(1).beta(0.4, 1.6, (CHEXPERT_IMAGES, len(LABELS))).astype(np.float32)


@pytest.fixture(scope="module")
def gallery(probabilities):
    growing = GrowingGallery()
    rows = [make_row(f"image-{n:06d}", p, StoredMetadata(), 1) for n, p in enumerate(probabilities)]
    growing.load([rows], generation=1)
    return growing.gallery


@pytest.mark.parametrize("labels", [1, 3, 14])
def test_exact_search_against_plain_numpy(side_by_side, gallery, probabilities, labels):
    weights = np.zeros(len(LABELS))
    weights[:labels] = 1
    columns = probabilities.astype(np.float64)
    sums = columns.sum(axis=1)
    names = np.array([f"image-{n:06d}" for n in range(len(columns))])

    def plain() -> list[str]:
        shared = columns @ weights
        scores = np.round(shared / (weights.sum() + sums - shared), 9)
        best = np.argpartition(-scores, 10)[:10]  # enough here: random scores do not tie
        return names[best[np.argsort(-scores[best])]].tolist()

    def ours() -> list[str]:
        return gallery.image_ids(rank(gallery, Query(weights, k=10, ranking="soft_jaccard")).rows)

    assert ours() == plain()
    side_by_side(f"soft_jaccard over 224,316 x 14, {labels} labels: plain numpy in float64 / ours", ours, plain)
