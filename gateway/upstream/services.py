"""The two services as the gateway sees them: one method for each call."""

from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel

from gateway.upstream.client import ServiceClient
from gateway.upstream.http import Http
from gateway.upstream.uploads import Upload
from shared.deadline import Deadline
from shared.labels import LabelName
from shared.schemas.images import ImagePage, ImagePageParameters, ImageRecord, ReportEvidence
from shared.schemas.reports import AccessionReportLabels, ReportAnswer, ReportLabels
from shared.schemas.search import ImageSearchResult, SearchRequest, SearchResult
from shared.schemas.studies import AccessionNamed, Patient, Removed, StudyRecord
from shared.schemas.system import IndexDescription
from shared.schemas.text import ClassifyRequest, ClassifyResponse

LONG_BYTES = 32 * 1024
"""Of a question that goes with the long ones."""

JSON = {"Content-Type": "application/json"}


class TextClassifierClient(ServiceClient):
    part = "text-classifier"

    async def classify(self, request: ClassifyRequest, deadline: Deadline) -> ClassifyResponse:
        """One result for each impression, in order. Long ones may take all that is left of the deadline."""
        body = request.model_dump_json()
        call = self._http.request("POST", "/v1/classify", content=body, headers=JSON)
        timeout_s = deadline.left_s() if len(body) > LONG_BYTES else None
        answer = self._read(ClassifyResponse, await self._call(call, deadline, timeout_s=timeout_s))
        if len(answer.results) != len(request.impressions):
            raise self._failed(f"{len(answer.results)} results for {len(request.impressions)} impressions")
        return answer


@dataclass(frozen=True)
class Picture:
    """A picture as the index sent it; status 304 and no content where the caller has it already."""

    status: int
    content: bytes
    headers: dict[str, str]


class ImageIndexClient(ServiceClient):
    """`upload_timeout_s` bounds the calls that carry an image."""

    part = "image-index"

    def __init__(self, http: Http, *, timeout_s: float = 8.0, upload_timeout_s: float = 60.0) -> None:
        super().__init__(http, timeout_s=timeout_s)
        self._upload_timeout_s = upload_timeout_s

    async def search(self, request: SearchRequest, deadline: Deadline) -> SearchResult:
        body = request.model_dump_json(exclude_none=True)
        call = self._http.request("POST", "/v1/search", content=body, headers=JSON)
        return self._read(SearchResult, await self._call(call, deadline))

    async def search_by_image(self, upload: Upload, options: dict[str, Any], deadline: Deadline) -> ImageSearchResult:
        response = await self._send_image("POST", "/v1/search/by-image", upload, options, deadline)
        return self._read(ImageSearchResult, response)

    async def put_image(
        self, image_id: str, upload: Upload, deadline: Deadline, *, replace: bool, accept_any: bool
    ) -> tuple[ImageRecord, bool]:
        """The record, and whether the image is new to the index."""
        options = {"replace": replace, "accept_any": accept_any}
        return self._record(await self._send_image("PUT", f"/v1/images/{image_id}", upload, options, deadline))

    async def add_image(
        self, upload: Upload, deadline: Deadline, *, replace: bool, accept_any: bool
    ) -> tuple[ImageRecord, bool]:
        """The same under an id that the index chooses."""
        options = {"replace": replace, "accept_any": accept_any}
        return self._record(await self._send_image("POST", "/v1/images", upload, options, deadline))

    async def image(self, image_id: str, deadline: Deadline) -> ImageRecord:
        call = self._http.request("GET", f"/v1/images/{image_id}")
        return self._read(ImageRecord, await self._call(call, deadline))

    async def images(self, parameters: ImagePageParameters, deadline: Deadline) -> ImagePage:
        asked = parameters.model_dump(exclude_unset=True, exclude_none=True)
        return self._read(ImagePage, await self._call(self._http.request("GET", "/v1/images", params=asked), deadline))

    async def delete_image(self, image_id: str, deadline: Deadline) -> None:
        await self._call(self._http.request("DELETE", f"/v1/images/{image_id}"), deadline)

    async def thumbnail(self, image_id: str, if_none_match: str | None, deadline: Deadline) -> Picture:
        return await self._picture(f"/v1/images/{image_id}/thumbnail", {}, if_none_match, deadline)

    async def heatmap(self, image_id: str, label: LabelName, if_none_match: str | None, deadline: Deadline) -> Picture:
        return await self._picture(f"/v1/images/{image_id}/heatmap", {"label": label}, if_none_match, deadline)

    async def put_report(
        self, of: str, labels: ReportLabels, deadline: Deadline, *, replace: bool
    ) -> tuple[ReportAnswer, bool]:
        """What became of it, and whether it is new. `of`: `images/{id}` or `studies/{uid}`, here and below."""
        return await self._send_report("PUT", f"/v1/{of}/report", labels, deadline, replace=replace)

    async def add_report(
        self, labels: AccessionReportLabels, deadline: Deadline, *, replace: bool
    ) -> tuple[ReportAnswer, bool]:
        """The same of a study that is named by its accession number."""
        return await self._send_report("POST", "/v1/reports", labels, deadline, replace=replace)

    async def report(self, of: str, deadline: Deadline) -> ReportEvidence:
        return self._read(ReportEvidence, await self._call(self._http.request("GET", f"/v1/{of}/report"), deadline))

    async def delete_report(self, of: str, deadline: Deadline) -> None:
        await self._call(self._http.request("DELETE", f"/v1/{of}/report"), deadline)

    async def study(self, uid: str, deadline: Deadline) -> StudyRecord:
        call = self._http.request("GET", f"/v1/studies/{uid}")
        return self._read(StudyRecord, await self._call(call, deadline))

    async def delete_study(self, uid: str, deadline: Deadline) -> None:
        await self._call(self._http.request("DELETE", f"/v1/studies/{uid}"), deadline)

    async def delete_patient_of_key(self, key: str, deadline: Deadline) -> Removed:
        return self._read(Removed, await self._call(self._http.request("DELETE", f"/v1/patients/{key}"), deadline))

    async def delete_patient(self, patient: Patient, deadline: Deadline) -> Removed:
        return self._read(Removed, await self._post("/v1/patients/by-id/delete", patient, deadline))

    async def delete_report_by_accession(self, named: AccessionNamed, deadline: Deadline) -> None:
        await self._post("/v1/reports/delete", named, deadline)

    async def _post(self, path: str, body: BaseModel, deadline: Deadline) -> httpx.Response:
        call = self._http.request("POST", path, content=body.model_dump_json(exclude_none=True), headers=JSON)
        return await self._call(call, deadline)

    async def info(self, deadline: Deadline) -> IndexDescription:
        return self._read(IndexDescription, await self._call(self._http.request("GET", "/v1/index"), deadline))

    async def _send_image(
        self, method: str, path: str, upload: Upload, options: dict[str, Any], deadline: Deadline
    ) -> httpx.Response:
        call = self._http.request(method, path, content=upload, params=options, headers=upload.headers)
        return await self._call(call, deadline, timeout_s=self._upload_timeout_s, may_repeat=lambda: not upload.started)

    async def _send_report(
        self, method: str, path: str, labels: ReportLabels, deadline: Deadline, *, replace: bool
    ) -> tuple[ReportAnswer, bool]:
        body = labels.model_dump_json(exclude_none=True)
        call = self._http.request(method, path, content=body, params={"replace": replace}, headers=JSON)
        response = await self._call(call, deadline)
        return self._read(ReportAnswer, response), response.status_code == httpx.codes.CREATED

    def _record(self, response: httpx.Response) -> tuple[ImageRecord, bool]:
        return self._read(ImageRecord, response), response.status_code == httpx.codes.CREATED

    async def _picture(
        self, path: str, params: dict[str, str], if_none_match: str | None, deadline: Deadline
    ) -> Picture:
        # As it came, but for white space around it: a server lets it in, and a client may not send it.
        conditions = {} if if_none_match is None else {b"If-None-Match": if_none_match.strip(" \t").encode("latin-1")}
        response = await self._call(self._http.request("GET", path, params=params, headers=conditions), deadline)
        kept = ("content-type", "etag", "cache-control")
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        return Picture(response.status_code, response.content, headers)
