"""The whole chain judged and drawn, against a gateway that answers from a table."""

import csv
import json

import httpx
import numpy as np
import pytest

from services.image_index.evaluation.retrieval.end_to_end import judge_gateway
from services.image_index.evaluation.retrieval.fit_prior import prior_of_reports
from services.image_index.evaluation.retrieval.reports import read_reports
from services.image_index.evaluation.retrieval.show import show_impression
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.examples.phantoms.gallery import write_gallery
from services.image_index.ranking.prior import read_prior, shipped_prior, write_prior
from shared.labels import LABELS


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Forty reports in CheXpert's layout; the impression names the labels."""
    made = simulate(shipped_prior(), 40, 0.8, seed=6)
    path = tmp_path_factory.mktemp("reports") / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Path", *LABELS, "impression"])
        for name, truth in zip(made.paths, made.truth.tolist(), strict=True):
            words = ", ".join(label for label, present in zip(LABELS, truth, strict=True) if present)
            writer.writerow([name, *truth, words])
    return path


class PerfectGateway:
    """Knows every image's true labels, and reads an impression as the names in it."""

    def __init__(self, reports):
        self.truth = dict(zip(reports.image_ids, reports.truth.astype(float), strict=True))
        self.asked = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        if request.url.path == "/v1/classify":
            results = [
                {"labels": {label: {"state": "present" if label in text else "absent"} for label in LABELS}}
                for text in body["impressions"]
            ]
            return httpx.Response(200, json={"results": results})
        wanted = body["labels"] if "labels" in body else body["impression"].split(", ")
        query = np.array([float(label in wanted) for label in LABELS])
        ranking = {"hits": self.hits(query, body), "reason": None}
        if request.url.path == "/v1/search":
            return httpx.Response(200, json={"result": ranking})
        return httpx.Response(200, json={"results": [ranking]})

    def hits(self, query, body):
        """The exact matches, then the others; as of a service, those without any overlap are left out."""
        excluded = body["filters"]["excluded_image_ids"]
        scores = {
            image_id: float(truth @ query / max(np.maximum(truth, query).sum(), 1))
            for image_id, truth in self.truth.items()
            if image_id not in excluded
        }
        best = sorted((one for one in scores if scores[one] > 0), key=lambda one: (-scores[one], one))
        return [{"image_id": one, "score": scores[one]} for one in best[: body["k"]]]


def client_of(handler):
    return httpx.Client(transport=httpx.MockTransport(handler), base_url="http://gateway")


def test_a_perfect_chain_reaches_the_ceiling(table):
    reports = read_reports(table, "impression")
    gateway = PerfectGateway(reports)
    report = judge_gateway(reports, client_of(gateway), ["soft_jaccard"], k=5)

    findings = reports.truth.any(axis=1).mean()  # without any label there is nothing to search by
    assert report["rankings"]["soft_jaccard"]["mrr"] >= report["ceiling"]["mrr"] - (1 - findings)
    assert report["floor"]["mrr"] < report["rankings"]["soft_jaccard"]["mrr"] <= report["ceiling"]["mrr"] + 1e-12
    assert {"ranking": "cosine", "binarize": True}.items() <= gateway.asked[0].items()


def test_no_image_of_the_querys_own_patient_is_searched(table):
    reports = read_reports(table, "impression")
    gateway = PerfectGateway(reports)
    judge_gateway(reports, client_of(gateway), [], k=5)
    patients = dict(zip(reports.image_ids, reports.patients, strict=True))
    for number, body in enumerate(gateway.asked[: len(reports.paths)]):
        own = {one for one in patients if patients[one] == reports.patients[number]}
        assert set(body["filters"]["excluded_image_ids"]) == own


def test_a_failing_gateway_is_an_error(table):
    reports = read_reports(table, "impression")
    with pytest.raises(httpx.HTTPStatusError):
        judge_gateway(reports, client_of(lambda _request: httpx.Response(503)), [], k=5)


def test_a_table_without_impressions_cannot_be_judged(table):
    with pytest.raises(ValueError, match="impressions"):
        judge_gateway(read_reports(table, "findings"), client_of(lambda _request: httpx.Response(503)), [], k=5)


def test_a_prior_is_counted_from_labelled_reports(table):
    prior, reports = prior_of_reports(table, "impression", None), read_reports(table, "impression")
    assert prior.counts.sum() == len({path.rpartition("/")[0] for path in reports.paths})
    assert prior.positions(reports.truth[:1].astype(float))[0] >= 0


def test_reports_without_labels_are_read_by_the_text_classifier(table, tmp_path):
    reports = read_reports(table, "impression")
    path = tmp_path / "texts.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["Path", "text"], *zip(reports.paths, reports.texts, strict=True)])
    prior = prior_of_reports(path, "text", client_of(PerfectGateway(reports)))
    assert prior.digest == prior_of_reports(table, "impression", None).digest
    with pytest.raises(ValueError, match="lacks the 14 label columns"):
        prior_of_reports(path, "text", None)


def test_the_prior_of_a_phantom_gallery_can_be_fitted_and_read(tmp_path):
    written = write_gallery(tmp_path / "phantoms", 6, 1, 64)
    write_prior(tmp_path / "prior.csv", prior_of_reports(written, "impression", None))
    assert read_prior(tmp_path / "prior.csv").counts.sum() == 6


def test_an_answer_is_drawn_with_its_images(tmp_path, phantom_pngs):
    hit = {"image_id": "one", "score": 0.5, "matched": ["Edema"], "missed": [], "extra": ["Pneumonia"]}
    answer = {"hits": [hit, hit | {"score": 0.25}], "query": {"Edema": 1.0}, "reason": None}

    def gateway(request):
        if request.url.path.endswith("/thumbnail"):
            return httpx.Response(200, content=phantom_pngs["Edema"][0])
        return httpx.Response(200, json={"results": [answer]})

    assert show_impression("Edema.", client_of(gateway), 2, tmp_path / "out.png") is None
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_an_answer_without_images_gives_its_reason_and_draws_nothing(tmp_path):
    answer = {"hits": [], "query": {}, "reason": "The index is empty."}
    gateway = client_of(lambda _request: httpx.Response(200, json={"results": [answer]}))
    assert show_impression("Edema.", gateway, 2, tmp_path / "out.png") == "The index is empty."
    assert not (tmp_path / "out.png").exists()
