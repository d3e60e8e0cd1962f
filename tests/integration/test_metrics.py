"""What the running apps tell Prometheus is what the page lists and the dashboard asks for."""

import json
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from prometheus_client import Metric

from gateway.upstream.templates import template_of
from tests.integration.promql import asked_of
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

DEPLOY = REPOSITORY / "services/deploy"
ROW = re.compile(r"^\| (?P<names>`[^|]+`) \| (?P<of>[\w, -]+) \|(?P<labels>[^|]*)\| .+ \|$", re.MULTILINE)
CODE = re.compile(r"`(\w+)`")
SUFFIX = {"counter": "_total", "info": "_info"}
UNITS = ("_seconds", "_bytes", "_items", "_info", "_total", "_seconds_total", "_fds")
COUNTED = ("waiting", "at_work", "images", "generation", "with_report", "lines", "head", "writable")  # without a unit
HISTOGRAM = ("_bucket", "_count", "_sum")


@pytest.fixture
async def exposed(apps, chain, phantom_pngs) -> dict[str, dict[str, set[str]]]:
    """By app and by metric its labels, after some traffic of each kind."""
    png = {"Content-Type": "image/png"}
    picture = phantom_pngs["Edema"][0]
    asked = (
        await chain.put("/v1/images/a", content=picture, headers=png),
        await chain.post("/v1/retrieve", json={"impression": "Mild edema.", "spans": True}),
        await chain.post("/v1/search/by-image", content=picture, headers=png),
        await chain.put("/v1/images/a/report", content="Edema.", headers={"Content-Type": "text/plain"}),
        await chain.get("/v1/models", headers={"Host": "elsewhere"}),
    )
    assert [answer.status_code for answer in asked] == [201, 200, 200, 201, 421]
    return {part: {name_of(metric): labels_of(metric) for metric in metrics_of(app)} for part, app in apps.items()}


def metrics_of(app: FastAPI) -> Iterator[Metric]:
    return app.state.metrics.collect()


def name_of(metric: Metric) -> str:
    """As Prometheus knows it; a histogram's before _bucket, _count and _sum."""
    suffix = SUFFIX.get(metric.type, "")
    return metric.name if metric.name.endswith(suffix) else f"{metric.name}{suffix}"


def labels_of(metric: Metric) -> set[str]:
    return {label for sample in metric.samples for label in sample.labels} - {"le"}


def listed() -> dict[str, tuple[set[str], set[str]]]:
    """By metric the parts that have it, and its labels."""
    rows = ROW.finditer((DEPLOY / "README.md").read_text())
    every = {"text-classifier", "image-index", "gateway"}
    return {
        name: (every if row["of"] == "all" else set(row["of"].split(", ")), set(CODE.findall(row["labels"])))
        for row in rows
        for name in CODE.findall(row["names"])
    }


async def test_the_page_lists_every_metric_and_no_other(exposed):
    listing = listed()
    for part, metrics in exposed.items():
        assert set(metrics) == {name for name, (of, _) in listing.items() if part in of}, part
        for name, labels in metrics.items():
            assert labels == listing[name][1], name


def test_names_end_with_a_unit_or_name_what_is_counted():
    for name in listed():
        assert name.endswith((*UNITS, *COUNTED)), name


async def test_metrics_hold_nothing_that_was_sent_nor_grow_with_it(apps, chain, exposed):
    def series() -> set[str]:
        found = {
            f"{sample.name}{sample.labels}"
            for app in apps.values()
            for metric in metrics_of(app)
            for sample in metric.samples
        }
        return {one for one in found if "_created" not in one}

    await chain.get("/v1/images/b")
    before = series()
    for number in range(20):
        await chain.get(f"/v1/images/JohnDoe{number}")
        await chain.post("/v1/retrieve", json={"impression": f"JohnDoe{number}: edema.", "spans": True})
    assert series() == before
    assert "JohnDoe" not in str(before)


async def test_each_part_of_a_request_is_timed_in_its_process(apps, exposed):
    timed = {
        part: {
            sample.labels["part"]
            for metric in metrics_of(app)
            if metric.name == "chex_part_duration_seconds"
            for sample in metric.samples
        }
        for part, app in apps.items()
    }
    assert timed == {
        "gateway": {"place", "classify", "search", "text-classifier", "image-index"},
        "text-classifier": {"read", "infer"},
        "image-index": {"decode", "encode", "rank", "commit"},
    }
    page = (DEPLOY / "README.md").read_text().partition("The parts, in the order of a request")[2].partition("\n\n")[0]
    assert set().union(*timed.values()) <= set(re.findall(r"`([\w-]+)`", page))


async def test_index_metrics_follow_the_index(apps, exposed):
    values = {sample.name: sample.value for metric in metrics_of(apps["image-index"]) for sample in metric.samples}
    assert values["chex_index_images"] == 1
    assert values["chex_index_generation"] == 2
    assert values["chex_index_images_with_report"] in {0, 1}  # counted once a minute


def expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def samples_of(metrics: dict[str, set[str]], types: dict[str, str]) -> dict[str, set[str]]:
    """By the name of each sample that can be asked for."""
    found = dict(metrics)
    for name, labels in metrics.items():
        if types[name] == "histogram":
            del found[name]
            found |= {f"{name}{suffix}": labels | ({"le"} if suffix == "_bucket" else set()) for suffix in HISTOGRAM}
    return found


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        (
            'sum by (a, job) (rate(m_total{b="x",c!~"y.*"}[5m])) / on (a) sum by (d) (n)',
            [("m_total", {"a", "b", "c"}), ("n", {"d"})],
        ),
        ("histogram_quantile(0.5, sum by (le) (rate(m_bucket[$__rate_interval])))", [("m_bucket", {"le"})]),
        ("-m", [("m", set())]),
    ],
)
def test_what_an_expression_asks_for_is_found_in_it(expression, asked):
    assert list(asked_of(expression)) == asked


async def test_the_dashboard_asks_for_metrics_and_labels_that_there_are(apps, exposed):
    there: dict[str, set[str]] = {}
    for part, app in apps.items():
        types = {name_of(metric): metric.type for metric in metrics_of(app)}
        for name, labels in samples_of(exposed[part], types).items():
            there[name] = there.get(name, set()) | labels
    told = list(expressions())
    assert len(told) > 15
    for expression in told:
        for name, labels in asked_of(expression):
            assert name in there, f"{name}: {expression}"
            assert labels <= there[name], f"{labels - there[name]}: {expression}"


def test_the_dashboard_shows_every_metric_of_ours():
    asked = {name for expression in expressions() for name, _ in asked_of(expression)}
    shown = {name.removesuffix(suffix) for name in asked for suffix in ("", *HISTOGRAM)}
    assert {name for name in listed() if name.startswith("chex_")} <= shown


def test_the_gateway_knows_the_words_of_the_services_paths(apps):
    """So that a span of a call says which it was."""
    for part in ("text-classifier", "image-index"):
        for path in apps[part].openapi()["paths"]:
            if path.startswith("/v1"):
                assert template_of(path) == re.sub(r"\{\w+\}", "{}", path)
