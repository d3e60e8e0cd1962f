from dataclasses import replace

import numpy as np
import pytest
from onnxruntime import InferenceSession

from services.image_index.ranking.gallery import Gallery
from services.image_index.ranking.measures import MEASURES, Context
from services.image_index.ranking.posterior import posterior, readings
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.query import Query
from services.image_index.ranking.rank import rank
from services.image_index.ranking.resident import Resident
from services.image_index.ranking.selection import contenders
from services.image_index.ranking.trust import Trust
from services.image_index.ranking.vectors import vector
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from shared.schemas.search import SearchOptions

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
        return gallery.image_ids(rank(gallery, Query(weights, SearchOptions(k=10, ranking="soft_jaccard"))).rows)

    assert ours() == plain()
    side_by_side(f"soft_jaccard over 224,316 x 14, {labels} labels: plain numpy in float64 / ours", ours, plain)


def test_default_ranking_against_plain_numpy(side_by_side, gallery):
    prior, weights = shipped_prior(), vector(dict.fromkeys(("Cardiomegaly", "Edema", "Pleural Effusion"), 1.0))
    meant = readings(weights, prior)
    fusion = Context(gallery.statistics, prior, Trust()).fusion
    images = posterior(fusion.log_odds(gallery.known(slice(None))), prior)
    frequency = float(meant.log_frequencies[0])
    sought = np.flatnonzero(weights)
    names = np.array(gallery.image_ids(gallery.rows()))
    assert meant.listed.all()

    def plain() -> list[str]:
        exact = np.exp(images.evidence[sought].sum(axis=0) + frequency - images.log_z)
        shared = images.marginals[sought].sum(axis=0)
        scores = np.round(np.sqrt(exact * shared / (len(sought) + images.marginal_sums - shared)), 9)
        best = np.argpartition(-scores, 10)[:10]
        return names[best[np.argsort(-scores[best])]].tolist()

    def ours() -> list[str]:
        return gallery.image_ids(rank(gallery, Query(weights, SearchOptions(k=10))).rows)

    assert ours() == plain()
    side_by_side("label_set_posterior over 224,316 x 14, 3 labels: plain numpy in float64 / ours", ours, plain)


@pytest.mark.parametrize("labels", [1, 3, 14])
def test_scan_and_selection_against_a_graph_of_onnx_runtime(side_by_side, gallery, labels):
    weights = np.zeros(len(LABELS))
    weights[:labels] = 1
    context, rows = Context(gallery.statistics, shipped_prior(), Trust()), gallery.rows()
    graph, inputs = soft_jaccard_graph(gallery.probabilities, weights)

    def ours() -> set[int]:
        scores, error = MEASURES["soft_jaccard"].scan(gallery, weights, context)
        return set(contenders(rows, scores, error, 10).tolist())

    def theirs() -> set[int]:
        return set(graph.run(["places"], inputs)[0][0].tolist())

    assert theirs() <= ours()
    side_by_side(f"soft_jaccard, {labels} labels, float32 only: ONNX Runtime's MatMul and TopK / ours", ours, theirs)


def test_rows_with_reports_are_searched_as_fast(side_by_side, gallery):
    """Every row of one of the galleries has a report; nothing else differs."""
    reported = with_reports(gallery)
    weights = vector(dict.fromkeys(("Cardiomegaly", "Edema", "Pleural Effusion"), 1.0))

    def search(one) -> list[str]:
        return one.image_ids(rank(one, Query(weights, SearchOptions(k=10))).rows)

    assert search(gallery) != search(reported)
    side_by_side(
        "label_set_posterior over 224,316 x 14, all with reports: without any / with",
        lambda: search(reported),
        lambda: search(gallery),
    )


def with_reports(gallery: Gallery) -> Gallery:
    images = gallery.probabilities.shape[1]
    evidence = np.random.default_rng(1).choice([-4.0, -2.5, 0.0, 5.0], (len(LABELS), images), p=[0.3, 0.6, 0.02, 0.08])
    return replace(
        gallery,
        report=np.arange(images, dtype=np.int32),
        report_evidence=evidence.astype(np.float16),
        resident=Resident(),
    )


def soft_jaccard_graph(probabilities: np.ndarray, weights: np.ndarray):
    """A session for `shared / (sum of the query + sum of the image - shared)`, and the inputs of one search."""
    from onnx import TensorProto, helper

    float32, int64 = TensorProto.FLOAT, TensorProto.INT64
    inputs = {
        "query": weights[None].astype(np.float32),
        "images": np.ascontiguousarray(probabilities),
        "sums": (probabilities.sum(axis=0) + np.float32(weights.sum()))[None],
        "k": np.array([10]),
    }
    nodes = [
        helper.make_node("MatMul", ["query", "images"], ["shared"]),
        helper.make_node("Sub", ["sums", "shared"], ["either"]),
        helper.make_node("Div", ["shared", "either"], ["scores"]),
        helper.make_node("TopK", ["scores", "k"], ["best", "places"], axis=1),
    ]
    described = [
        helper.make_tensor_value_info(name, int64 if name == "k" else float32, value.shape)
        for name, value in inputs.items()
    ]
    found = [helper.make_tensor_value_info("places", int64, None)]
    model = helper.make_model(
        helper.make_graph(nodes, "soft_jaccard", described, found),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]), inputs
