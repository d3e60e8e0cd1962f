"""A line of the audit: an AuditEvent of FHIR R4, made as the patterns of IHE BALP (Basic Audit Log Patterns) ask for.

It is written as JSON straight away; tests hold it against the models of fhir.resources, which would take longer than
all the rest of a line.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.guard.audit.calls import Call
from gateway.guard.audit.notes import Notes
from gateway.guard.caller import Caller

GONE = "The caller went away before it was answered."
_ACCESSION_DIGITS = 32
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_BALP = "https://profiles.ihe.net/ITI/BALP"
_PROFILES = {"create": "Create", "read": "Read", "update": "Update", "delete": "Delete"}
_SOURCE = {
    "observer": {"display": "CheXRetriever gateway"},
    "type": [{"system": f"{_TERMINOLOGY}/security-source-type", "code": "4", "display": "Application Server"}],
}
_OBJECT = {
    "type": {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "2", "display": "System Object"},
    "role": {"system": f"{_TERMINOLOGY}/object-role", "code": "4", "display": "Domain Resource"},
}
_REQUEST_ID = {"system": f"{_BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}


@dataclass(frozen=True)
class Exchange:
    """Who asked whom. `status` is None where the caller had gone."""

    caller: Caller
    client: str
    server: str
    request_id: str
    status: int | None


def event_of(exchange: Exchange, call: Call, notes: Notes, accession_key: bytes) -> bytes:
    """JSON without `resourceType` and `id`, which the chain adds. All but ASCII is escaped: it is one line."""
    outcome, said = _outcome(exchange.status)
    event = {
        "type": {"system": f"{_TERMINOLOGY}/audit-event-type", "code": "rest", "display": "Restful Operation"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": call.interaction}],
        "action": call.action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": outcome,
        "outcomeDesc": said,
        "agent": _agents(exchange, call),
        "source": _SOURCE,
        "entity": _entities(exchange, call, notes, accession_key),
    }
    if outcome == "0" and call.interaction in _PROFILES:
        # Of a search no profile is claimed: it would ask for the query, which may name a patient.
        profile = f"{_BALP}/StructureDefinition/IHE.BasicAudit.{_PROFILES[call.interaction]}"
        event = {"meta": {"profile": [profile]}, **event}
    return json.dumps(event, separators=(",", ":")).encode()


def accession_hash(number: str, key: bytes) -> str:
    """HMAC-SHA256, the first 32 hex digits. White space around a number says nothing (DICOM pads with it)."""
    return hmac.new(key, number.strip().encode(), "sha256").hexdigest()[:_ACCESSION_DIGITS]


def _outcome(status: int | None) -> tuple[str, str]:
    """FHIR's: 0 success, 4 a failure that is the caller's to mend, 8 one that is not."""
    if status is None:
        return "4", GONE
    return ("0" if status < 400 else "4" if status < 500 else "8"), f"HTTP {status}"


def _agents(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    """DICOM's roles say where the data go: what is read flows to the client, anything else from it."""
    source, destination = ("110153", "Source Role ID"), ("110152", "Destination Role ID")
    client, server = (destination, source) if call.interaction == "read" else (source, destination)
    caller = exchange.caller
    return [
        _machine(*client, exchange.client),
        _machine(*server, exchange.server),
        {
            "type": _coding(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient"),
            "who": {"identifier": {"system": f"urn:chexretriever:{caller.kind}", "value": caller.name}},
            "requestor": True,
        },
    ]


def _machine(code: str, role: str, address: str) -> dict[str, Any]:
    return {
        "type": _coding("http://dicom.nema.org/resources/ontology/DCM", code, role),
        "who": {"display": address},
        "requestor": False,
        "network": {"address": address, "type": "2"},
    }


def _coding(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _entities(exchange: Exchange, call: Call, notes: Notes, accession_key: bytes) -> list[dict[str, Any]]:
    named = [("urn:chexretriever:image", image) for image in notes.images]
    named += [("urn:dicom:uid", f"urn:oid:{study}") for study in notes.studies]
    named += [("urn:chexretriever:patient-key", patient) for patient in notes.patients]
    if notes.accession_number is not None:
        named.append(("urn:chexretriever:accession-hmac", accession_hash(notes.accession_number, accession_key)))
    details = [("call", call.name)]
    details += [(f"{model}_model_sha256", weights) for model, weights in notes.models.items()]
    if notes.generation is not None:
        details.append(("index_generation", str(notes.generation)))
    details += [("shown_image", image) for image in notes.shown_images]
    details += [("shown_study", study) for study in notes.shown_studies]
    return [
        {"what": {"identifier": {"value": exchange.request_id}}, "type": _REQUEST_ID},
        *({"what": {"identifier": {"system": system, "value": value}}, **_OBJECT} for system, value in named),
        {
            **_OBJECT,
            "what": {"display": "CheXRetriever"},
            "detail": [{"type": kind, "valueString": value} for kind, value in details],
        },
    ]
