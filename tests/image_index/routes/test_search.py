import json
from typing import get_args

import httpx
import numpy as np
import pytest

from services.image_index.app import create_app
from services.image_index.ranking.fusion import Known
from services.image_index.ranking.measures import Context
from services.image_index.ranking.posterior import match, posterior, readings
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.statistics import exact_sums, statistics_of
from services.image_index.ranking.trust import Trust
from services.image_index.ranking.vectors import vector
from shared.labels import LABELS
from shared.schemas.search import RankingName
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of

GALLERY = {
    "edema-f": (("Edema",), {"view_position": "PA", "patient_sex": "F", "patient_age": 70, "patient_id": "P1"}),
    "edema-m": (("Edema",), {"view_position": "AP", "patient_sex": "M", "patient_age": 20, "patient_id": "P2"}),
    "both": (("Edema", "Pleural Effusion"), {"view_position": "AP", "patient_id": "P1", "study_instance_uid": "1.5"}),
    "normal": (("No Finding",), {"view_position": "OTHER"}),
}


@pytest.fixture
async def gallery(client: httpx.AsyncClient) -> httpx.AsyncClient:
    for image_id, (labels, metadata) in GALLERY.items():
        form = {"file": ("x.png", png_bytes(picture_of(*labels), image_id)), "metadata": (None, json.dumps(metadata))}
        response = await client.put(f"/v1/images/{image_id}", files=form)
        assert response.status_code == 201, response.text
    return client


async def search(client: httpx.AsyncClient, labels: object, **options: object) -> dict:
    response = await client.post("/v1/search", json={"labels": labels, **options})
    assert response.status_code == 200, response.text
    return response.json()


def ids(result: dict) -> list[str]:
    return [hit["image_id"] for hit in result["hits"]]


async def test_images_that_show_the_labels_come_first_and_equal_ones_by_id(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, ["Edema"], k=3)

    assert ids(result) == ["edema-f", "edema-m", "both"]
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    assert result["hits"][0]["score"] == result["hits"][1]["score"] > result["hits"][2]["score"]
    assert (result["candidates"], result["ties_at_cutoff"], result["reason"]) == (4, 0, None)
    assert result["index"]["size"] == 4
    assert result["model"]["name"] == "tiny"


async def test_what_a_hit_promises_is_read_as_of_a_calibrated_encoder(gallery: httpx.AsyncClient) -> None:
    hits = (await search(gallery, ["Edema"], k=4))["hits"]
    p = np.array([[hit["probabilities"][name] for hit in hits] for name in LABELS], dtype=np.float32)
    statistics, meant = statistics_of(exact_sums(p), len(hits)), readings(vector({"Edema": 1.0}), shipped_prior())
    known = Known(p, np.zeros_like(p), np.zeros(len(hits), dtype=np.bool_))
    promised = {
        calibrated: match(
            posterior(Context(statistics, shipped_prior(), Trust(calibrated)).fusion.log_odds(known), shipped_prior()),
            meant,
        ).exact.tolist()
        for calibrated in (True, False)
    }
    assert [hit["exact_probability"] for hit in hits] == pytest.approx(promised[True], abs=1e-6)
    assert promised[False] != pytest.approx(promised[True], abs=1e-3)


async def test_a_tie_that_k_cuts_through_is_told(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, ["Edema"], k=1)

    assert (ids(result), result["ties_at_cutoff"]) == (["edema-f"], 1)


async def test_a_hit_says_which_labels_match_are_missed_and_are_extra(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, {"Edema": 1, "Fracture": 0.5}, k=4)
    hits = {hit["image_id"]: hit for hit in result["hits"]}

    assert (hits["both"]["matched"], hits["both"]["missed"], hits["both"]["extra"]) == (
        ["Edema"],
        ["Fracture"],
        ["Pleural Effusion"],
    )
    assert (hits["normal"]["matched"], hits["normal"]["extra"]) == ([], ["No Finding"])
    assert list(hits["both"]["probabilities"]) == list(LABELS)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"view_position": ["AP"]}, {"edema-m", "both"}),
        ({"patient_sex": ["F"]}, {"edema-f"}),
        ({"age_min": 18, "age_max": 65}, {"edema-m"}),
        ({"required_labels": {"Pleural Effusion": 0.5}}, {"both"}),
        ({"excluded_labels": {"Pleural Effusion": 0.5, "No Finding": 0.5}}, {"edema-f", "edema-m"}),
        ({"excluded_image_ids": ["edema-f"], "excluded_study_uids": ["1.5"]}, {"edema-m", "normal"}),
        ({"excluded_patient_ids": ["P1"]}, {"edema-m", "normal"}),
    ],
)
async def test_filters_leave_out_what_does_not_pass(
    gallery: httpx.AsyncClient, filters: dict[str, object], expected: set[str]
) -> None:
    result = await search(gallery, ["Edema"], k=10, filters=filters)

    assert set(ids(result)) == expected
    assert result["candidates"] == len(expected)


async def test_a_patient_is_excluded_by_the_key_that_a_hit_carries(gallery: httpx.AsyncClient) -> None:
    hit = (await search(gallery, ["Edema"], k=1))["hits"][0]
    result = await search(gallery, ["Edema"], k=10, filters={"excluded_patient_keys": [hit["metadata"]["patient_key"]]})

    assert set(ids(result)) == {"edema-m", "normal"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"labels": []}, "no positive finding"),
        ({"labels": {"Edema": 0}}, "no positive finding"),
        ({"labels": {"Edema": 0.4}, "binarize": True}, "no positive finding"),
        ({"labels": ["Edema"], "filters": {"age_min": 120}}, "No image passes the filters"),
        ({"labels": ["Edema"], "min_score": 0.999}, "No image reaches min_score"),
    ],
)
async def test_an_answer_without_hits_says_why(
    gallery: httpx.AsyncClient, options: dict[str, object], reason: str
) -> None:
    result = (await gallery.post("/v1/search", json=options)).json()

    assert result["hits"] == []
    assert reason in result["reason"]


async def test_an_empty_index_says_so(client: httpx.AsyncClient) -> None:
    assert (await search(client, ["Edema"]))["reason"] == "The index is empty."


async def test_fewer_hits_than_asked_for_are_explained(gallery: httpx.AsyncClient) -> None:
    assert (await search(gallery, ["Edema"], k=5))["reason"] == "The index holds no more images."
    scored = await search(gallery, ["Edema"], k=5, ranking="soft_jaccard", min_score=0.4)
    assert scored["reason"] == "No more images reach min_score."


@pytest.mark.parametrize("ranking", get_args(RankingName))
@pytest.mark.parametrize("binarize", [False, True])
async def test_every_ranking_puts_the_exact_match_first(
    gallery: httpx.AsyncClient, ranking: str, binarize: bool
) -> None:
    result = await search(gallery, ["Edema", "Pleural Effusion"], ranking=ranking, binarize=binarize)

    assert ids(result)[0] == "both"


async def test_binarized_cosine_scores_are_those_of_0_1_vectors(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, ["Edema"], ranking="cosine", binarize=True)

    assert [hit["score"] for hit in result["hits"]] == [1.0, 1.0, round(0.5**0.5, 9), 0.0]


@pytest.mark.parametrize(
    "body",
    [
        {"labels": ["Flu"]},
        {"labels": {"Edema": 1.5}},
        {"labels": ["Edema"], "k": 0},
        {"labels": ["Edema"], "k": 1001},
        {"labels": ["Edema"], "ranking": "magic"},
        {"labels": ["Edema"], "filters": {"age_min": 60, "age_max": 20}},
        {"labels": ["Edema"], "unknown": 1},
        {},
    ],
)
async def test_a_query_that_is_not_valid_is_422(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    response = await client.post("/v1/search", json=body)

    assert response.status_code == 422
    assert response.json()["errors"]


async def test_an_image_finds_its_like_and_is_not_kept(gallery: httpx.AsyncClient) -> None:
    picture = png_bytes(picture_of("Edema", "Pleural Effusion", brightness=250))
    response = await gallery.post("/v1/search/by-image", content=picture, params={"k": 2})
    result = response.json()

    assert response.status_code == 200, response.text
    assert ids(result)[0] == "both"
    assert len(result["hits"]) == 2
    assert set(result["hits"][0]["matched"]) == {"Edema", "Pleural Effusion"}
    assert result["probabilities"]["Edema"] > 0.9
    assert (await gallery.get("/v1/index")).json()["size"] == 4


async def test_options_of_a_form_and_of_the_query_are_put_together(gallery: httpx.AsyncClient) -> None:
    options = {"k": 1, "ranking": "cosine", "filters": {"excluded_image_ids": ["both"]}}
    form = {
        "file": ("x.png", png_bytes(picture_of("Edema", "Pleural Effusion"))),
        "options": (None, json.dumps(options), "application/json"),
    }
    result = (await gallery.post("/v1/search/by-image", files=form, params={"k": 3})).json()

    assert len(result["hits"]) == 3
    assert "both" not in ids(result)


async def test_an_indexed_image_finds_itself_first(gallery: httpx.AsyncClient) -> None:
    for image_id, (labels, _metadata) in GALLERY.items():
        result = (await gallery.post("/v1/search/by-image", content=png_bytes(picture_of(*labels)))).json()
        assert result["hits"][0]["score"] == 1.0
        assert image_id in {hit["image_id"] for hit in result["hits"] if hit["score"] == 1.0}


async def test_a_form_may_hold_json_that_is_strict_and_short(gallery: httpx.AsyncClient) -> None:
    picture = ("x.png", png_bytes(picture_of("Edema")))
    for options, status, says in (
        ('{"k": "5"}', 422, "valid integer"),
        ('{"k": 1, "k": 2}', 422, "twice"),
        ('{"k": 1', 422, "The options is not valid JSON"),
        (" " * (2**20 + 1), 413, "1,048,576 bytes"),
    ):
        form = {"file": picture, "options": ("options.json", options, "application/json")}
        response = await gallery.post("/v1/search/by-image", files=form)
        assert (response.status_code, says in response.text) == (status, True), response.text


async def test_options_that_only_fit_together_are_put_together_before_they_are_judged(
    gallery: httpx.AsyncClient,
) -> None:
    form = {"file": ("x.png", png_bytes(picture_of("Edema"))), "options": (None, '{"k": 1, "diversity": 0.5}')}
    assert (await gallery.post("/v1/search/by-image?offset=999", files=form)).status_code == 200
    refused = await gallery.post("/v1/search/by-image?offset=1000", files=form)
    assert (refused.status_code, "diversity" in refused.text) == (422, True)


async def test_an_image_finds_each_patient_once_where_the_query_says_so(gallery: httpx.AsyncClient) -> None:
    picture = png_bytes(picture_of("Edema"))
    result = (await gallery.post("/v1/search/by-image?group_by=patient", content=picture)).json()

    assert ids(result) == ["edema-f", "edema-m", "normal"]


@pytest.mark.parametrize("path", ["/v1/index", "/v1/model", "/v1/images/a", "/v1/images/a/thumbnail", "/readyz"])
async def test_a_query_parameter_that_is_not_known_is_422(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, params={"nonsense": "1"})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "query.nonsense")


@pytest.mark.parametrize("params", [{"k": 0}, {"ranking": "magic"}, {"min_score": "x"}, {"limit": 1}])
async def test_options_that_are_not_valid_are_422(client: httpx.AsyncClient, params: dict[str, object]) -> None:
    response = await client.post("/v1/search/by-image", content=png_bytes(picture_of("Edema")), params=params)

    assert response.status_code == 422


def test_every_operation_is_described_with_its_errors(settings, encoder) -> None:
    app = create_app(settings, encoder)
    document = app.openapi()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        if path.startswith("/v1")
        for method, operation in methods.items()
    ]

    assert {path for path, _, _ in operations} == {
        "/v1/images",
        "/v1/images/{image_id}",
        "/v1/images/{image_id}/thumbnail",
        "/v1/images/{image_id}/heatmap",
        "/v1/images/{image_id}/report",
        "/v1/studies/{study_uid}",
        "/v1/studies/{study_uid}/report",
        "/v1/patients/{patient_key}",
        "/v1/patients/by-id/delete",
        "/v1/reports",
        "/v1/reports/delete",
        "/v1/search",
        "/v1/search/by-image",
        "/v1/index",
        "/v1/model",
    }
    for path, method, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        if method in {"put", "post"}:
            assert operation["requestBody"], path
            assert {"400", "413", "415"} <= set(operation["responses"]), path
        assert "422" in operation["responses"], path
    references = json.dumps(document).split('"$ref": "#/components/schemas/')[1:]
    assert {reference.split('"')[0] for reference in references} <= set(document["components"]["schemas"])


async def test_every_hit_says_how_probable_an_exact_match_is(gallery: httpx.AsyncClient) -> None:
    for ranking in ("label_set_posterior", "cosine"):
        hits = (await search(gallery, ["Edema"], ranking=ranking))["hits"]
        both = {hit["image_id"]: (hit["exact_probability"], hit["expected_overlap"]) for hit in hits}
        assert both["edema-f"] == both["edema-m"]
        assert both["edema-f"][0] > both["both"][0] > both["normal"][0]
        assert both["edema-f"][1] > both["both"][1] > both["normal"][1]


async def test_pages_go_on_where_the_last_one_ended(gallery: httpx.AsyncClient) -> None:
    whole = await search(gallery, ["Edema"])
    generation = whole["index"]["generation"]
    first = await search(gallery, ["Edema"], k=2, generation=generation)
    second = await search(gallery, ["Edema"], k=2, offset=2, generation=generation)

    assert ids(first) + ids(second) == ids(whole)
    assert [hit["rank"] for hit in second["hits"]] == [3, 4]
    assert (await search(gallery, ["Edema"], k=2, offset=4))["reason"] == "The index holds no more images."


async def test_a_page_of_an_index_that_has_changed_is_refused(gallery: httpx.AsyncClient) -> None:
    generation = (await search(gallery, ["Edema"]))["index"]["generation"]
    await gallery.delete("/v1/images/normal")
    response = await gallery.post("/v1/search", json={"labels": ["Edema"], "offset": 2, "generation": generation})

    assert response.status_code == 409
    assert response.json()["type"] == "urn:chexretriever:conflict"


async def test_each_patient_is_shown_once_by_its_best_image(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, ["Edema"], group_by="patient")

    assert ids(result) == ["edema-f", "edema-m", "normal"]  # "both" is of the patient of edema-f
    assert result["reason"] == "There is no further patient to show."


async def test_where_no_image_is_alike_the_answer_says_so(gallery: httpx.AsyncClient) -> None:
    result = await search(gallery, ["Fracture", "Pneumothorax"], min_overlap=0.9)

    assert ids(result) == []
    assert result["reason"].startswith("No sufficiently similar case")


async def test_a_hit_says_how_many_images_of_its_patient_it_stands_for(gallery: httpx.AsyncClient) -> None:
    hits = (await search(gallery, ["Edema"], group_by="patient"))["hits"]
    assert [hit["merged"] for hit in hits] == [1, 0, 0]
    assert {hit["merged"] for hit in (await search(gallery, ["Edema"]))["hits"]} == {0}


async def test_diversity_brings_other_images_of_the_same_ranking(gallery: httpx.AsyncClient) -> None:
    plain, diverse = [await search(gallery, ["Edema"], diversity=diversity) for diversity in (0, 0.9)]
    assert ids(plain)[:2] == ["edema-f", "edema-m"]  # two equal images
    assert ids(diverse)[0] == "edema-f"
    assert ids(diverse)[1] != "edema-m"
    scores = {hit["image_id"]: hit["score"] for hit in plain["hits"]}
    assert scores == {hit["image_id"]: hit["score"] for hit in diverse["hits"]}


async def test_a_diverse_page_beyond_the_thousand_best_is_refused(gallery: httpx.AsyncClient) -> None:
    body = {"labels": ["Edema"], "diversity": 0.3, "k": 100}
    assert (await gallery.post("/v1/search", json={**body, "offset": 900})).status_code == 200
    refused = await gallery.post("/v1/search", json={**body, "offset": 901})
    assert refused.status_code == 422
    assert "diversity" in refused.text


@pytest.mark.parametrize(
    ("stored", "asked"), [("20564", "00020564"), ("00020564", "20564"), ("00020564", " 00020564 "), ("0A7", "0A7")]
)
async def test_a_patient_is_left_out_however_many_zeros_stand_before_its_number(
    gallery: httpx.AsyncClient, stored: str, asked: str
) -> None:
    form = {"file": ("x.png", png_bytes(picture_of("Edema"))), "metadata": (None, json.dumps({"patient_id": stored}))}
    assert (await gallery.put("/v1/images/theirs", files=form)).status_code == 201
    result = await search(gallery, ["Edema"], k=10, filters={"excluded_patient_ids": [asked]})

    assert "theirs" not in ids(result)
    assert result["excluded"] == {"asked": 1, "matched": 1, "unmatched": {}}


async def test_a_patient_who_is_not_there_is_no_error_and_is_told(gallery: httpx.AsyncClient) -> None:
    filters = {"excluded_patient_ids": ["P1", "P9"], "excluded_study_uids": ["1.2.3"]}
    told = {"asked": 3, "matched": 1, "unmatched": {"excluded_patient_ids": 1, "excluded_study_uids": 1}}

    assert (await search(gallery, ["Edema"], filters=filters))["excluded"] == told
    assert (await search(gallery, [], filters=filters))["excluded"] == told
    form = {"file": ("x.png", png_bytes(picture_of("Edema"))), "options": (None, json.dumps({"filters": filters}))}
    assert (await gallery.post("/v1/search/by-image", files=form)).json()["excluded"] == told
    assert (await search(gallery, ["Edema"]))["excluded"] is None


@pytest.mark.parametrize(
    "filters",
    [
        {"excluded_patient_keys": ["0123456789abcde"]},
        {"excluded_patient_keys": ["0123456789ABCDEF"]},
        {"excluded_patient_keys": ["0123456789abcdef "]},
        {"excluded_patient_keys": ["0123456789abcdef\n"]},
        {"excluded_patient_ids": [""]},
        {"excluded_patient_ids": ["P1", " \t"]},
        {"excluded_patient_ids": ["1" * 65]},
        {"excluded_study_uids": ["1.2."]},
        {"excluded_image_ids": ["a b"]},
    ],
)
async def test_what_can_leave_nobody_out_is_422_and_names_its_place(
    client: httpx.AsyncClient, filters: dict[str, list[str]]
) -> None:
    response = await client.post("/v1/search", json={"labels": ["Edema"], "filters": filters})
    (name, values), (error,) = *filters.items(), response.json()["errors"]

    assert response.status_code == 422
    assert error["field"] == f"body.filters.{name}.{len(values) - 1}"
    assert "[0-9a-f]{16}" in error["message"] or name != "excluded_patient_keys"


@pytest.fixture
async def with_a_lateral(gallery: httpx.AsyncClient) -> httpx.AsyncClient:
    form = {"file": ("x.png", png_bytes(picture_of("Edema"))), "metadata": (None, '{"view_position": "LATERAL"}')}
    assert (await gallery.put("/v1/images/a-lateral", files=form)).status_code == 201
    form = {"file": ("x.png", png_bytes(picture_of("Edema", "Fracture")))}
    assert (await gallery.put("/v1/images/of-no-view", files=form)).status_code == 201
    return gallery


async def test_lateral_views_are_found_only_where_they_are_asked_for(with_a_lateral: httpx.AsyncClient) -> None:
    frontal = await search(with_a_lateral, ["Edema"], k=10)
    every = await search(with_a_lateral, ["Edema"], k=10, filters={"include_laterals": True})
    lateral = await search(with_a_lateral, ["Edema"], k=10, filters={"view_position": ["LATERAL"]})

    assert set(ids(frontal)) == {*GALLERY, "of-no-view"}
    assert (frontal["candidates"], frontal["index"]["size"]) == (5, 6)
    assert "lateral views are left out unless asked for" in frontal["reason"]
    assert set(ids(every)) == {*GALLERY, "of-no-view", "a-lateral"}
    assert "lateral" not in every["reason"]
    assert ids(lateral) == ["a-lateral"]


async def test_a_lateral_view_changes_nothing_in_an_answer_without_it(with_a_lateral: httpx.AsyncClient) -> None:
    other = png_bytes(picture_of("Fracture"))
    for ranking in get_args(RankingName):
        for binarize in (False, True):
            before = await search(with_a_lateral, ["Edema"], k=10, ranking=ranking, binarize=binarize)
            form = {"file": ("x.png", other), "metadata": (None, '{"view_position": "LATERAL"}')}
            await with_a_lateral.put("/v1/images/another", files=form)
            after = await search(with_a_lateral, ["Edema"], k=10, ranking=ranking, binarize=binarize)
            await with_a_lateral.delete("/v1/images/another")

            assert after["hits"] == before["hits"]


async def test_a_search_by_image_finds_laterals_where_its_options_ask_for_them(
    with_a_lateral: httpx.AsyncClient,
) -> None:
    picture = png_bytes(picture_of("Edema"))
    plain = (await with_a_lateral.post("/v1/search/by-image", content=picture)).json()
    form = {"file": ("x.png", picture), "options": (None, '{"filters": {"include_laterals": true}}')}
    asked = (await with_a_lateral.post("/v1/search/by-image", files=form)).json()

    assert "a-lateral" not in ids(plain)
    assert "a-lateral" in ids(asked)


async def test_an_index_of_laterals_alone_says_why_nothing_is_found(client: httpx.AsyncClient) -> None:
    form = {"file": ("x.png", png_bytes(picture_of("Edema"))), "metadata": (None, '{"view_position": "LATERAL"}')}
    await client.put("/v1/images/a", files=form)
    nothing = await search(client, ["Edema"])
    found = await search(client, ["Edema"], filters={"view_position": ["LATERAL"]})

    assert nothing["reason"] == "No image passes the filters (lateral views are left out unless asked for)."
    assert ids(found) == ["a"]
