"""Ranking against a plain float64 oracle: one image at a time, sorted by Python."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.image_index.ranking.evidence import evidence_against
from services.image_index.ranking.gallery import Gallery
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.query import Query
from services.image_index.ranking.rank import rank
from services.image_index.ranking.statistics import MEAN_STEP, exact_sums, statistics_of
from services.image_index.ranking.trust import Trust
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import Change, make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from shared.schemas.search import SearchOptions

pytestmark = pytest.mark.slow

RANKINGS = ("label_set_posterior", "soft_jaccard", "cosine", "centered_cosine", "log_likelihood")
N_LABELS = len(LABELS)


def made_gallery(
    p: np.ndarray, ids: list[str] | None = None, reports: list[np.ndarray | None] | None = None
) -> Gallery:
    """`p` is (N, 14), `reports` N of (14,) or None."""
    ids = ids or [f"image-{number:04d}" for number in range(len(p))]
    images = list(zip(ids, p.astype(np.float32), reports or [None] * len(p), strict=True))
    growing = GrowingGallery()
    for place in range(0, len(p), 7):
        rows = [
            make_row(image_id, vector, StoredMetadata(), 1, report)
            for image_id, vector, report in images[place : place + 7]
        ]
        growing.apply([Change(row.image_id, row) for row in rows], generation=1)
    return growing.gallery


def mean_of(p: np.ndarray) -> list[float]:
    steps = [[round(float(value) / MEAN_STEP) for value in column] for column in p.T]
    return [sum(column) * MEAN_STEP / len(p) for column in steps]


def cosine(p: list[float], q: list[float]) -> float:
    product, p_norm, q_norm = 0.0, 0.0, math.sqrt(sum(b * b for b in q))
    for a, b in zip(p, q, strict=True):
        product += a * b
        p_norm += a * a
    p_norm = math.sqrt(p_norm)
    return product / (p_norm * q_norm) if p_norm >= 1e-9 and q_norm >= 1e-9 else 0.0


def log_odds(p: float) -> float:
    return math.log(p) - math.log(1 - p)


def label_set_posterior(evidence: list[float], q: list[float]) -> float:
    """Bayes written out over the listed sets and all readings of the query that are not among them."""
    prior = shipped_prior()
    unsure = [label for label, weight in enumerate(q) if 0 < weight < 1]
    readings = {}
    for choice in product([1.0, 0.0], repeat=len(unsure)):
        meant = [float(weight == 1) for weight in q]
        for label, present in zip(unsure, choice, strict=True):
            meant[label] = present
        if any(meant):
            readings[tuple(meant)] = math.prod(q[i] if on else 1 - q[i] for i, on in zip(unsure, choice, strict=True))
    sets = {tuple(one) for one in prior.sets.tolist()} | readings.keys()
    frequencies = prior.log_frequencies_of(np.array(sorted(sets))).tolist()
    logs = {
        one: log + math.fsum(np.array(evidence)[np.array(one) > 0])
        for one, log in zip(sorted(sets), frequencies, strict=True)
    }
    top = max(logs.values())
    total = math.fsum(math.exp(log - top) for log in logs.values())
    weights = {one: math.exp(log - top) / total for one, log in logs.items()}
    exact = math.fsum(weights[one] * share for one, share in readings.items()) / math.fsum(readings.values())
    marginals = [math.fsum(weight for one, weight in weights.items() if one[label]) for label in range(N_LABELS)]
    shared = math.fsum(m * b for m, b in zip(marginals, q, strict=True))
    return math.sqrt(exact * shared / (math.fsum(q) + math.fsum(marginals) - shared))


def oracle_score(ranking: str, p: list[float], q: list[float], mean: list[float]) -> float:
    if ranking == "cosine":
        return cosine(p, q)
    if ranking == "centered_cosine":
        return cosine([a - m for a, m in zip(p, mean, strict=True)], [b - m for b, m in zip(q, mean, strict=True)])
    if ranking == "soft_jaccard":
        shared = math.fsum(a * b for a, b in zip(p, q, strict=True))
        return shared / (math.fsum(p) + math.fsum(q) - shared)
    clipped = [min(max(a, 1e-6), 1 - 1e-6) for a in p]
    terms = (b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in zip(clipped, q, strict=True))
    return math.fsum(terms) / N_LABELS


def clipped_log_odds(p: float) -> float:
    return log_odds(min(max(p, 1e-6), 1 - 1e-6))


@dataclass(frozen=True)
class Archive:
    """Pictures (N, 14), N reports of (14,) or None, and labels that pictures tell nothing of."""

    p: np.ndarray
    reports: list[np.ndarray | None]
    silent: frozenset[int] = frozenset()

    def evidence(self, name: str, *, calibrated: bool) -> list[list[float]]:
        statistics = statistics_of(exact_sums(self.p.T.astype(np.float32)), len(self.p))
        against = evidence_against(statistics, shipped_prior().base_rates, calibrated=calibrated)
        found = []
        for row, report in zip(self.p, self.reports, strict=True):
            sums = []
            for label, value in enumerate(row):
                one = clipped_log_odds(float(value)) * against.slopes[label] + against.offsets[label]
                pictured = 0.0 if label in self.silent or name == "report" else one
                reported = 0.0 if report is None or name == "image" else float(report[label])
                sums.append(pictured + reported)
            found.append(sums)
        return found

    def probabilities(self, name: str) -> list[list[float]]:
        rates, found = shipped_prior().base_rates.tolist(), []
        for row, report in zip(self.p, self.reports, strict=True):
            values = []
            for label, value in enumerate(row):
                p = rates[label] if label in self.silent or name == "report" else float(value)
                if name == "report" or (report is not None and name == "all"):
                    reported = 0.0 if report is None else float(report[label])
                    p = 1 / (1 + math.exp(-(clipped_log_odds(p) + reported)))
                values.append(float(np.float32(p)))
            found.append(values)
        return found

    def scores(self, ranking: str, q: np.ndarray, name: str, *, calibrated: bool) -> list[float]:
        if ranking == "label_set_posterior":
            return [label_set_posterior(one, q.tolist()) for one in self.evidence(name, calibrated=calibrated)]
        rates = shipped_prior().base_rates.tolist()
        mean = [rates[label] if label in self.silent else one for label, one in enumerate(mean_of(self.p))]
        return [oracle_score(ranking, one, q.tolist(), mean) for one in self.probabilities(name)]

    def speaking(self, q: np.ndarray, name: str) -> set[int]:
        """The images that can be an answer."""
        told = name != "report" and any(q[label] > 0 for label in range(N_LABELS) if label not in self.silent)
        reported = {row for row, report in enumerate(self.reports) if report is not None}
        return set(range(len(self.p))) if told else (set() if name == "image" else reported)


unit = st.floats(0, 1, width=32)
few_values = st.sampled_from([0.0, 0.25, 0.5, 1.0])
binary = st.sampled_from([0.0, 1.0])
vectors = st.one_of(
    *(arrays.arrays(np.float32, N_LABELS, elements=elements) for elements in (unit, few_values, binary)),
    st.just(np.zeros(N_LABELS, dtype=np.float32)),
)


@st.composite
def galleries(draw: st.DrawFn) -> np.ndarray:
    """(N, 14): continuous, coarse, binary and zero rows, some of them several times over."""
    distinct = draw(st.lists(vectors, min_size=1, max_size=25))
    repeats = draw(st.lists(st.integers(0, len(distinct) - 1), max_size=25))
    return np.stack([*distinct, *(distinct[place] for place in repeats)])


few_unsure = vectors.map(lambda q: np.where(np.cumsum((q > 0) & (q < 1)) > 4, np.rint(q), q))
queries = few_unsure.filter(lambda q: bool(q.any())).map(lambda q: q.astype(np.float64))


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    p = draw(galleries())
    one = arrays.arrays(np.float16, N_LABELS, elements=st.floats(-8, 8, width=16))
    some = draw(st.lists(st.none() | one, min_size=1, max_size=len(p)))
    silent = draw(st.frozensets(st.integers(0, N_LABELS - 1), max_size=3))
    return Archive(p, [some[place % len(some)] for place in range(len(p))], silent)


@pytest.mark.parametrize("ranking", RANKINGS)
@given(
    archive=archives(),
    q=queries,
    k=st.integers(1, 60),
    trusted=st.tuples(st.booleans(), st.sampled_from(["all", "image", "report"])),
)
@settings(max_examples=40, deadline=None)
def test_scores_and_order_are_those_of_the_oracle(
    ranking: str, archive: Archive, q: np.ndarray, k: int, trusted: tuple[bool, str]
) -> None:
    calibrated, evidence = trusted
    gallery = made_gallery(archive.p, reports=archive.reports)
    trust = Trust(calibrated, tuple(label not in archive.silent for label in range(N_LABELS)))
    ranked = rank(gallery, Query(q, SearchOptions(k=k, ranking=ranking, evidence=evidence), trust=trust))
    speaking = archive.speaking(q, evidence)
    expected = archive.scores(ranking, q, evidence, calibrated=calibrated)

    assert ranked.candidates == len(speaking)
    assert len(ranked.rows) == min(k, len(speaking))
    assert set(ranked.rows) <= speaking
    assert ranked.scores == pytest.approx([expected[row] for row in ranked.rows], abs=2e-8)
    keys = [(-score, gallery.image_ids([row])[0]) for row, score in zip(ranked.rows, ranked.scores, strict=True)]
    assert keys == sorted(keys)
    left_out = [expected[row] for row in speaking - set(ranked.rows)]
    if ranked.rows:
        assert max(left_out, default=-math.inf) <= ranked.scores[-1] + 2e-8
    if ranked.rows and ranking != "centered_cosine":  # which amplifies the last digits of nearly equal vectors
        worst = ranked.scores[-1]
        assert ranked.ties_at_cutoff == sum(round(score, 9) == worst for score in left_out)


@pytest.mark.parametrize("ranking", RANKINGS)
@given(archive=archives(), q=queries, shuffle=st.randoms(use_true_random=False), binarize=st.booleans())
@settings(max_examples=15, deadline=None)
def test_the_order_of_insertion_changes_nothing(
    ranking: str, archive: Archive, q: np.ndarray, shuffle, binarize
) -> None:
    p, reports = archive.p, archive.reports
    ids = [f"image-{number:04d}" for number in range(len(p))]
    places = list(range(len(p)))
    shuffle.shuffle(places)
    query = Query(q, SearchOptions(k=10, ranking=ranking), thresholds=np.full(N_LABELS, 0.5) if binarize else None)
    one, other = (
        made_gallery(p, ids, reports),
        made_gallery(p[places], [ids[place] for place in places], [reports[place] for place in places]),
    )
    a, b = rank(one, query), rank(other, query)

    assert one.image_ids(a.rows) == other.image_ids(b.rows)
    assert (a.scores, a.ties_at_cutoff) == (b.scores, b.ties_at_cutoff)


@pytest.mark.parametrize("kind", ["continuous", "binary", "duplicated"])
@pytest.mark.parametrize("ranking", RANKINGS)
def test_ten_best_are_the_start_of_a_thousand_best(ranking: str, kind: str) -> None:
    rng = np.random.default_rng(3)
    p = rng.random((3000, N_LABELS)) ** 3
    if kind == "binary":
        p = np.rint(p)
    if kind == "duplicated":
        p = p[rng.integers(0, 40, len(p))]
    gallery = made_gallery(p)
    for q in rng.integers(0, 2, (5, N_LABELS)).astype(float):
        q[0] = 1
        few, many = (rank(gallery, Query(q, SearchOptions(k=k, ranking=ranking))) for k in (10, 1000))
        assert (few.rows, few.scores) == (many.rows[:10], many.scores[:10])
        whole = rank(gallery, Query(q, SearchOptions.model_construct(k=3000, ranking=ranking)))
        assert few.ties_at_cutoff == whole.scores[10:].count(few.scores[-1])


def test_a_query_without_a_positive_weight_finds_nothing() -> None:
    for ranking in RANKINGS:
        nothing = Query(np.zeros(N_LABELS), SearchOptions(ranking=ranking))
        assert rank(made_gallery(np.ones((3, N_LABELS))), nothing).rows == []


def test_an_empty_gallery_has_nothing_to_find() -> None:
    assert rank(GrowingGallery().gallery, Query(np.ones(N_LABELS))).rows == []


def test_only_images_at_or_above_the_least_score_are_found() -> None:
    p = np.zeros((3, N_LABELS))
    p[0, 3] = p[1, 3] = p[1, 4] = 1
    q = np.eye(N_LABELS)[3]
    found = rank(made_gallery(p), Query(q, SearchOptions(k=3, ranking="soft_jaccard", min_score=0.5)))

    assert (found.rows, found.scores) == ([0, 1], [1.0, 0.5])


def test_decisions_of_a_calibrated_encoder_are_no_calibrated_probabilities() -> None:
    p = np.random.default_rng(1).random((50, N_LABELS)) ** 3
    q, thresholds = np.eye(N_LABELS)[3], np.full(N_LABELS, 0.5)
    one, other = (
        rank(made_gallery(p), Query(q, SearchOptions(k=50), thresholds=thresholds, trust=Trust(calibrated)))
        for calibrated in (True, False)
    )
    assert (one.rows, one.scores) == (other.rows, other.scores)
    assert one.exact != other.exact  # which is read from the probabilities


def test_images_that_do_not_pass_are_not_candidates() -> None:
    p = np.eye(N_LABELS)
    passing = np.arange(N_LABELS) != 3
    found = rank(made_gallery(p), Query(np.eye(N_LABELS)[3], SearchOptions(k=20)), passing)

    assert 3 not in found.rows
    assert found.candidates == N_LABELS - 1


def test_binarized_cosine_is_the_cosine_of_the_thresholded_vectors() -> None:
    p = np.random.default_rng(1).random((50, N_LABELS))
    thresholds = np.linspace(0.2, 0.8, N_LABELS)
    q = np.rint(np.random.default_rng(2).random(N_LABELS))
    found = rank(made_gallery(p), Query(q, SearchOptions(k=50, ranking="cosine"), thresholds=thresholds))
    decided = Archive((p.astype(np.float32) >= thresholds.astype(np.float32)).astype(float), [None] * len(p))
    expected = decided.scores("cosine", q, "all", calibrated=False)

    assert found.scores == pytest.approx([expected[row] for row in found.rows], abs=1e-9)


def test_a_deleted_image_weighs_nothing_in_the_mean() -> None:
    p = np.random.default_rng(1).random((20, N_LABELS)).astype(np.float32)
    growing = GrowingGallery()
    rows = [make_row(f"image-{number:02d}", vector, StoredMetadata(), 1) for number, vector in enumerate(p)]
    growing.apply([Change(row.image_id, row) for row in rows], 20)
    growing.apply([Change("image-07", None), Change("image-11", None)], 22)

    assert growing.gallery.statistics.mean.tolist() == pytest.approx(mean_of(np.delete(p, [7, 11], axis=0)), abs=1e-12)
