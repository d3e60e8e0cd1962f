"""The demonstration's gallery, ranked as the index ranks it: by pictures alone, a newcomer's first answer is right."""

import numpy as np
import pytest

from gateway.demo.gallery import PHANTOMS, SEED, SIDE
from services.image_index.examples.phantoms import make_phantom
from services.image_index.parts import open_model
from services.image_index.ranking.fusion import Known
from services.image_index.ranking.measures import MEASURES, Context
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.statistics import exact_sums, statistics_of
from services.image_index.ranking.trust import Trust
from services.image_index.settings import BUNDLED_MODEL
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL as TEXT_MODEL
from shared.labels import LABELS, State
from shared.schemas.search import DEFAULT_RANKING
from shared.schemas.text import EXAMPLE_IMPRESSION

pytestmark = pytest.mark.slow

BATCH = 16


@pytest.fixture(scope="module")
def asked() -> np.ndarray:
    """(14,) of 0 and 1: what the example impression states as present."""
    classifier = TextClassifier.open(TEXT_MODEL, device="cpu")
    (classification,) = classifier.classify([classifier.read(EXAMPLE_IMPRESSION)])
    return np.array([classification.labels[label].state is State.PRESENT for label in LABELS], dtype=np.float64)


def test_the_first_image_of_the_demos_answer_shows_all_that_was_asked_for(asked):
    encoder = open_model(BUNDLED_MODEL, device="cpu")
    seeds = np.random.SeedSequence(SEED).generate_state(PHANTOMS)
    phantoms = [make_phantom(int(seed), size=SIDE) for seed in seeds]
    squares = [encoder.prepare(phantom.pixels) for phantom in phantoms]
    batches = [squares[start : start + BATCH] for start in range(0, PHANTOMS, BATCH)]
    encodings = [encoding for batch in batches for encoding in encoder.encode(batch)]
    rows = np.stack([encoding.probabilities for encoding in encodings], axis=1)  # (14, N)
    truth = np.array([[label in phantom.labels for label in LABELS] for phantom in phantoms])
    shows_all = truth[:, asked > 0].all(axis=1)

    trust = Trust(encoder.calibrated, tuple(encoder.proven.tolist()))
    context = Context(statistics_of(exact_sums(rows), PHANTOMS), shipped_prior(), trust)
    pictures = Known(rows, np.zeros_like(rows), np.zeros(PHANTOMS, dtype=np.bool_))
    scores = MEASURES[DEFAULT_RANKING].exact(pictures, context)(asked)
    best = np.argsort(-scores, kind="stable")[:5]

    assert shows_all[best[0]]
    assert 2 <= shows_all.sum() <= 20  # rare enough to be worth a search
