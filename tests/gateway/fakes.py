"""The two services as the gateway's tests see them: they answer by the contract, or as a test tells them to."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstream.http import Http
from gateway.upstream.services import ImageIndexClient, TextClassifierClient
from shared.labels import LABELS
from shared.schemas.reports import AccessionReportLabels, ReportLabels
from shared.web.json_body import parse_json

WEIGHTS = "ab" * 32
PATIENT_KEY = "0123456789abcdef"
Scripted = httpx.Response | Exception | Callable[[httpx.Request], Any]


def problem(status: int, kind: str, detail: str = "Said by the service.", **more: object) -> httpx.Response:
    headers = {"content-type": "application/problem+json", **more.pop("headers", {})}  # type: ignore[dict-item]
    body = {"type": f"urn:chexretriever:{kind}", "title": "A title", "status": status, "detail": detail, **more}
    return httpx.Response(status, json=body, headers=headers)


def state_probabilities(state: str) -> dict[str, float]:
    present = 0.9 if state == "present" else 0.1
    rest = dict.fromkeys(("uncertain", "absent", "not_mentioned"), 0.0)
    return {"present": present, **rest, state if state in rest else "not_mentioned": round(1 - present, 1)}


def label_results(states: Mapping[str, str]) -> dict[str, Any]:
    return {
        label: {
            "probability": 0.9 if states.get(label) == "present" else 0.1,
            "state": states.get(label, "not_mentioned"),
            "state_probabilities": state_probabilities(states.get(label, "not_mentioned")),
            "threshold": 0.5,
        }
        for label in LABELS
    }


class FakeService(httpx.AsyncBaseTransport):
    """Remembers its requests. What a test put into `script` comes first, one thing for each request."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.script: list[Scripted] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.script:
            scripted = self.script.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            if isinstance(scripted, httpx.Response):
                await request.aread()
                return scripted
            answer = scripted(request)
            return answer if isinstance(answer, httpx.Response) else await answer
        await request.aread()
        return self.answer(request)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/readyz":
            return httpx.Response(200, json={"status": "ready", "checks": [{"part": "model", "ready": True}]})
        if request.url.path == "/v1/model":
            details = {"labels": list(LABELS), "thresholds": dict.fromkeys(LABELS, 0.5), "intended_use": "Tests."}
            return httpx.Response(200, json=self.model() | details)
        return self.own_answer(request)

    def own_answer(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def model(self) -> dict[str, str]:
        name = type(self).__name__
        return {"name": name, "version": "1", "weights_sha256": WEIGHTS, "engine": "onnxruntime", "device": "cpu"}

    def http(self) -> Http:
        return Http("http://service", self)


class FakeClassifier(FakeService):
    """Reads label names: `Edema` is present, `maybe Edema` uncertain, `no Edema` absent. `Derrame` is Spanish."""

    def own_answer(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        impressions = asked["impressions"]
        spanish = [number for number, text in enumerate(impressions, start=1) if "Derrame" in text]
        if asked.get("strict_language") and spanish:
            return problem(422, "invalid-input", f"Impression {spanish[0]} seems not to be in English (language: es).")
        return httpx.Response(200, json={"results": list(map(self.result, impressions)), "model": self.model()})

    def result(self, text: str) -> dict[str, Any]:
        states = self._states(text)
        warnings: list[dict[str, str]] = []
        if "Derrame" in text:
            warnings.append({"code": "not_english", "language": "es", "message": "Only English is read."})
        if not states:
            warnings.append({"code": "nothing_stated", "message": "None of the 14."})
        return {"labels": label_results(states), "warnings": warnings}

    def _states(self, text: str) -> dict[str, str]:
        states = {}
        for label in LABELS:
            if label in text:
                words = text.split(label, maxsplit=1)[0].split()
                before = words[-1] if words else ""
                states[label] = {"maybe": "uncertain", "no": "absent"}.get(before, "present")
        return states


NO_CHEST = problem(422, "not-a-chest-radiograph", "It scores 0.03, and 0.50 is the least that is accepted.")


class FakeIndex(FakeService):
    """Keeps images by id; a search finds all of them, in the order of their ids. And reports, by whose they are."""

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[str, bytes] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.metadata: dict[str, str | bool] = {}
        self.patients: list[Any] = []  # that were to be forgotten: bodies, or paths
        self.pictured = True
        self.generation = 0
        self.excluded: dict[str, Any] | None = None
        self.fit: dict[str, Any] | None = None

    def own_answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        if path == "/v1/index":
            reports = {"images": 0, "waiting": 0, "images_by_text_model": {}}
            return httpx.Response(200, json={**self.info(), "reports": reports, "fit": self.fit})
        if path.startswith("/v1/search"):
            return self._search(request)
        if path.startswith("/v1/patients/"):
            self.patients.append(json.loads(request.content) if method == "POST" else path)
            return httpx.Response(200, json={"images": 2, "patient_key": PATIENT_KEY})
        if path.startswith("/v1/studies/") and not path.endswith("/report"):
            return self._study(request)
        if path.endswith(("/report", "/reports", "/reports/delete")):
            return self._report(request)
        return self._page(request) if (method, path) == ("GET", "/v1/images") else self._image(request)

    def _image(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        if method in {"PUT", "POST"}:
            return self._put(request)
        image_id, _, picture = path.removeprefix("/v1/images/").partition("/")
        if method == "DELETE":
            return self._delete(image_id)
        if image_id not in self.images:
            return problem(404, "not-found", "No image has this id.")
        return self._picture(request, picture) if picture else httpx.Response(200, json=self.record(image_id))

    def _report(self, request: httpx.Request) -> httpx.Response:
        of = request.url.path.removeprefix("/v1/").removesuffix("/report")
        if request.method == "DELETE" or of == "reports/delete":
            self.reports.pop(of.removesuffix("/delete"), None)
            return httpx.Response(204)
        if request.method == "GET":
            if of not in self.reports:
                return problem(404, "not-found", "There is no report of it.")
            kept = {name: self.reports[of][name] for name in ("states", "probabilities", "text_model_sha256")}
            issued = self.reports[of].get("issued", "2026-03-01T09:30:00Z")
            return httpx.Response(
                200, json=kept | {"issued": issued, "of": "study" if of.startswith("studies") else "image"}
            )
        sent = AccessionReportLabels if of == "reports" else ReportLabels
        labels = parse_json(request.content, sent).model_dump(mode="json", exclude_none=True)
        new = of not in self.reports
        self.reports[of] = labels
        kept = {name: labels[name] for name in ("states", "probabilities", "text_model_sha256")}
        answer = {"outcome": "waiting" if new else "replaced", "images": 0, **kept}
        return httpx.Response(201 if new else 200, json=answer)

    def _study(self, request: httpx.Request) -> httpx.Response:
        """All images are of whatever study is asked for."""
        uid = request.url.path.removeprefix("/v1/studies/")
        if request.method == "DELETE":
            self.images.clear()
            return httpx.Response(204)
        if not self.images:
            return problem(404, "not-found", "There is no such study.")
        images = [self.record(image_id) for image_id in sorted(self.images)]
        study = {"study_instance_uid": uid, "study_date": "2026-03-01", "size": len(images), "images": images}
        return httpx.Response(200, json=study)

    def _page(self, request: httpx.Request) -> httpx.Response:
        ids = sorted(image_id for image_id in self.images if image_id > request.url.params.get("cursor", ""))
        limit = int(request.url.params.get("limit", 100))
        page = [self.record(image_id) for image_id in ids[:limit]]
        return httpx.Response(200, json={"images": page, "next_cursor": ids[limit - 1] if ids[limit:] else None})

    def info(self) -> dict[str, Any]:
        counts = {"images": 0, "waiting": len(self.reports), "images_by_text_model": {}}
        return {
            "size": len(self.images),
            "generation": self.generation,
            "engine": "fake",
            "weights_sha256": WEIGHTS,
            "reports": counts,
        }

    def record(self, image_id: str) -> dict[str, Any]:
        return {
            "image_id": image_id,
            "probabilities": dict.fromkeys(LABELS, 0.25),
            "metadata": self.metadata,
            "content_sha256": sha256(self.images[image_id]).hexdigest(),
            "weights_sha256": WEIGHTS,
            "generation": self.generation,
            "pictured": self.pictured,
        }

    def _delete(self, image_id: str) -> httpx.Response:
        self.images.pop(image_id, None)
        return httpx.Response(204)

    def _put(self, request: httpx.Request) -> httpx.Response:
        content = request.content
        media_type = request.headers.get("content-type", "").split(";")[0]
        if media_type not in {"image/png", "image/jpeg", "application/dicom", "multipart/form-data"}:
            return problem(415, "unsupported-media-type")
        if not content:
            return problem(422, "invalid-input", errors=[{"field": "body", "message": "empty"}])
        if self._refuses(request):
            return NO_CHEST
        image_id = request.url.path.removeprefix("/v1/images").strip("/") or sha256(content).hexdigest()
        replace = request.url.params.get("replace") == "true"
        if self.images.get(image_id, content) != content and not replace:
            return problem(409, "conflict", "Other content is stored under this id.")
        new = image_id not in self.images
        self.images[image_id] = content
        self.generation += 1
        return httpx.Response(201 if new else 200, json=self.record(image_id))

    def _refuses(self, request: httpx.Request) -> bool:
        return request.content == b"a cat" and request.url.params.get("accept_any") != "true"

    def _search(self, request: httpx.Request) -> httpx.Response:
        by_image = request.url.path.endswith("by-image")
        options = dict(request.url.params) if by_image else json.loads(request.content)
        if by_image and not request.content:
            return problem(422, "invalid-input")
        if by_image and self._refuses(request):
            return NO_CHEST
        k = int(options.get("k", 5))
        empty = not by_image and not options["labels"]
        hits = [
            {
                "rank": rank,
                "score": 1 / rank,
                "exact_probability": 0.25,
                "expected_overlap": 0.5,
                "matched": [],
                "missed": [],
                "extra": [],
                **{name: self.record(image_id)[name] for name in ("image_id", "probabilities", "metadata", "pictured")},
                "image_probabilities": dict.fromkeys(LABELS, 0.25),
            }
            for rank, image_id in enumerate([] if empty else sorted(self.images)[:k], 1)
        ]
        result = {
            "hits": hits,
            "reason": "The query is empty." if empty else None,
            "ties_at_cutoff": 0,
            "candidates": len(self.images),
            "excluded": self.excluded,
            "index": self.info(),
            "model": self.model(),
        }
        of_the_image = (
            {"probabilities": dict.fromkeys(LABELS, 0.5), "chest_score": 0.75, "looks_turned": 90} if by_image else {}
        )
        return httpx.Response(200, json=result | of_the_image)

    def _picture(self, request: httpx.Request, picture: str) -> httpx.Response:
        media_type = {"thumbnail": "image/jpeg", "heatmap": "image/png"}[picture]
        headers = {"content-type": media_type, "etag": '"v1"', "cache-control": "private", "x-internal": "1"}
        if request.headers.get("if-none-match") == '"v1"':
            return httpx.Response(304, headers=headers)
        return httpx.Response(200, content=b"picture", headers=headers)


def _new_folder() -> Path:
    """One gateway's own, for as long as the tests run."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def gateway_over(classifier: FakeService, index: FakeService, **settings: Any) -> FastAPI:
    # Who may come in has tests of its own.
    made = GatewaySettings(**{"auth": "off", "gateway_dir": _new_folder(), **settings})
    return create_app(
        made,
        TextClassifierClient(classifier.http(), timeout_s=made.classify_timeout_s),
        ImageIndexClient(index.http(), timeout_s=made.search_timeout_s, upload_timeout_s=made.upload_timeout_s),
    )
