import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import cosine_similarity

from services.image_index.evaluation.retrieval import honest, original
from services.image_index.evaluation.retrieval.intervals import intervals
from services.image_index.evaluation.retrieval.judge import evaluate
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.promises import promises
from services.image_index.evaluation.retrieval.scorers import BINARY_COSINE, CEILING, FLOOR, scorers
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.ranking.prior import shipped_prior

PRIOR = shipped_prior()


def vectors(*names):
    """One 0/1 vector a string: `AB` shows the first and the second label."""
    return np.array([[int("ABCDEFGHIJKLMN"[place] in name) for place in range(14)] for name in names], dtype=np.int8)


def predictions_of(truth, predicted, patients=None):
    return Predictions(
        paths=[f"image-{number}" for number in range(len(truth))],
        patients=np.array(patients or [f"patient-{number}" for number in range(len(truth))]),
        truth=vectors(*truth),
        probabilities=vectors(*predicted).astype(float),
        predicted=vectors(*predicted),
    )


@pytest.fixture(scope="module")
def simulated():
    return simulate(PRIOR, 300, 0.75, seed=4)


def judged(predictions, name, k):
    return original.judge(predictions, scorers(predictions, PRIOR, [])[name], k, name)


def test_the_original_protocol_worked_out_by_hand():
    # Query A (twice): cosines 1, 1/√2, 1/√3, 0. The first is exact, both exact ones come first: 1 in every figure.
    # Query AB: cosines 1/√2, 1/2, 2/√6, 0. Its own image comes first: 1 in every figure.
    # Query B: cosines 0, 0, 1/√3, 0. First comes AB: no match, overlap 1/2. Its match ties with all the rest: AP 1/4.
    found = judged(predictions_of(["A", "A", "AB", "B"], ["A", "AC", "ABC", ""]), BINARY_COSINE, k=1)
    assert found["recall"] == 0.75
    assert found["precision"] == 0.75
    assert found["map"] == pytest.approx((1 + 1 + 1 + 0.25) / 4, abs=1e-12)
    assert found["iou"] == pytest.approx((1 + 1 + 1 + 0.5) / 4, abs=1e-7)
    assert found["ndcg"] == pytest.approx((1 + 1 + 1 + 0.5) / 4, abs=1e-7)


def test_two_images_without_labels_overlap_by_nothing_in_the_original_protocol():
    found = judged(predictions_of(["", ""], ["A", "A"]), BINARY_COSINE, k=2)
    assert (found["recall"], found["iou"]) == (1.0, 0.0)


def test_the_original_protocol_is_its_own_words_in_scikit_learn(simulated):
    k, recalls, precisions, overlaps = 5, [], [], []
    for query in simulated.truth:
        similarities = cosine_similarity([query], simulated.predicted)[0]
        top = similarities.argsort()[::-1][:k]
        same = (simulated.truth == query).all(axis=1)
        recalls.append(same[top].any())
        precisions.append(average_precision_score(same.astype(int), similarities))
        overlaps += [(query & image).sum() / ((query | image).sum() + 1e-8) for image in simulated.truth[top]]
    found = judged(simulated, BINARY_COSINE, k)
    assert found["recall"] == pytest.approx(np.mean(recalls), abs=1e-12)
    assert found["map"] == pytest.approx(np.mean(precisions), abs=1e-12)
    assert found["iou"] == pytest.approx(np.mean(overlaps), abs=1e-12)


def test_average_precision_of_tied_scores_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, relevant = rng.integers(0, 6, 150) / 5, rng.random(150) < 0.2
        expected = average_precision_score(relevant, scores)
        assert original.average_precision(relevant.astype(float), scores) == pytest.approx(expected, abs=1e-12)


def test_the_honest_protocol_never_finds_the_query_or_another_image_of_its_patient():
    truth, predicted = ["A", "A", "B", "C"], ["A", "A", "B", "C"]
    apart = honest.judge(predictions_of(truth, predicted), lambda q: vectors(*predicted) @ q, k=1)
    together = honest.judge(
        predictions_of(truth, predicted, ["one", "one", "two", "three"]), lambda q: vectors(*predicted) @ q, k=1
    )
    assert apart.means["recall"] == 0.5  # the two A find each other; B and C are alone
    assert together.means["recall"] == 0.0


def test_a_gallery_of_one_patient_only_finds_nothing():
    alone = honest.judge(predictions_of(["A", "A"], ["A", "A"], ["one", "one"]), lambda q: np.zeros(2), k=5)
    assert not alone.figures.any()


def test_honest_figures_do_not_hang_on_the_order_of_the_table(simulated):
    order = np.random.default_rng(1).permutation(len(simulated))
    shuffled = Predictions(
        [simulated.paths[place] for place in order],
        simulated.patients[order],
        simulated.truth[order],
        simulated.probabilities[order],
        simulated.predicted[order],
        simulated.calibrated,
    )
    for name in (BINARY_COSINE, "label_set_posterior", FLOOR):
        one, other = (
            honest.judge(table, scorers(table, PRIOR, ["label_set_posterior"])[name], 5)
            for table in (simulated, shuffled)
        )
        np.testing.assert_allclose(other.figures, one.figures[order], atol=1e-12)


def test_a_random_ranking_finds_what_chance_finds(simulated):
    random = honest.judge(simulated, scorers(simulated, PRIOR, [])[FLOOR], 5).means
    matches = [
        (simulated.truth[simulated.patients != patient] == query).all(axis=1).mean()
        for query, patient in zip(simulated.truth, simulated.patients, strict=True)
    ]
    assert random["precision"] == pytest.approx(np.mean(matches), abs=1e-12)


def test_every_ranking_lies_between_chance_and_true_labels(simulated):
    report = evaluate(simulated, PRIOR, ["label_set_posterior", "soft_jaccard"], protocol="honest")
    for figures in report["rankings"].values():
        for name in ("recall", "precision", "map", "iou", "ndcg", "mrr"):
            assert report["floor"][name] < figures[name] < report["ceiling"][name]
            low, high = figures["intervals"]["patient"][name]
            assert low < figures[name] < high
    assert report["ceiling"]["ndcg"] == pytest.approx(1)


def test_the_report_names_the_default_and_the_originals_own_way(simulated):
    report = evaluate(simulated, PRIOR, ["soft_jaccard"])
    assert report["default_ranking"]
    assert set(report["rankings"]) == {BINARY_COSINE, "soft_jaccard"}
    assert {"recall", "precision", "map", "iou", "ndcg"} <= set(report["rankings"][BINARY_COSINE])


@pytest.mark.parametrize("calibration", ["calibrated", "balanced", "distorted"])
def test_hits_keep_what_they_promise(calibration):
    kept = promises(simulate(PRIOR, 1500, 0.75, calibration=calibration, seed=8), PRIOR, 5)
    for figure in kept.values():
        assert figure["found"] == pytest.approx(figure["promised"], abs=0.1)
        assert figure["bins"][-1]["found"] > figure["bins"][0]["found"]


def test_the_ceiling_of_the_original_protocol_is_a_perfect_recall(simulated):
    ceiling = judged(simulated, CEILING, 5)
    assert (ceiling["recall"], ceiling["map"]) == (1.0, pytest.approx(1.0))


def test_intervals_widen_where_whole_clusters_agree():
    figures = np.repeat(np.random.default_rng(0).random((20, 1)), 10, axis=0)
    alone, clustered = intervals(figures, np.arange(200)), intervals(figures, np.repeat(np.arange(20), 10))
    assert np.ptp(clustered[:, 0]) > 2 * np.ptp(alone[:, 0])
    assert clustered[0, 0] < figures.mean() < clustered[1, 0]
