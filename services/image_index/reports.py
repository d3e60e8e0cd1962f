"""Reports of images and studies, as evidence beside what the pictures show. Knows no HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime

from services.image_index.patient_keys import PatientKeys
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.report_evidence import evidence_of_report
from services.image_index.ranking.vectors import vector
from services.image_index.store.calls import StoreCalls
from services.image_index.store.contract import ImageStore
from services.image_index.store.reports import NewReport, ReportOutcome, ReportTarget
from shared.errors import Conflict, NotFound
from shared.labels import LABELS
from shared.schemas.images import ReportEvidence
from shared.schemas.reports import Accession, AccessionReportLabels, ReportAnswer, ReportLabels, ReportOutcomeName

_NAMES: Mapping[ReportOutcome, ReportOutcomeName] = {
    ReportOutcome.STORED: "stored",
    ReportOutcome.REPLACED: "replaced",
    ReportOutcome.UNCHANGED: "unchanged",
    ReportOutcome.OUTDATED: "outdated",
    ReportOutcome.WAITING: "waiting",
}

_SEVERAL = (
    "Images of more than one study have this accession number, several that are of no study, or also a report that "
    "waits."
)


class Reports:
    """`base_rates` (14,): how often reports state each label, which is what their evidence is measured against."""

    def __init__(self, store: ImageStore, call: StoreCalls, keys: PatientKeys, base_rates: Vector) -> None:
        self._store = store
        self._call = call
        self._keys = keys
        self._base_rates = base_rates

    async def put(self, target: ReportTarget, labels: ReportLabels, *, replace: bool = False) -> ReportAnswer:
        """Durable when it returns. Raises Conflict where a report was removed after this one was issued, unless
        `replace`; or where an accession number is that of several studies.
        """
        report = report_of(labels, self._base_rates)
        ((outcome, images, _known),) = await self._call(self._store.put_reports, [(target, report)], replace=replace)
        if outcome is ReportOutcome.REMOVED:
            raise report_was_removed()
        if outcome is ReportOutcome.AMBIGUOUS:
            raise Conflict(
                f"{_SEVERAL} Send the report for the study, by its UID, or for each image; or name who gave the number "
                "(accession_issuer)."
            )
        return ReportAnswer(
            outcome=_NAMES[outcome],
            images=images,
            states=labels.states,
            probabilities=labels.probabilities,
            text_model_sha256=labels.text_model_sha256,
        )

    async def put_by_accession(self, labels: AccessionReportLabels, *, replace: bool = False) -> ReportAnswer:
        key = self._keys.accession_key(labels.accession_number, labels.accession_issuer)
        return await self.put(ReportTarget("accession", key), labels, replace=replace)

    async def delete_by_accession(self, named: Accession) -> None:
        """What the number finds: a study's report, or one that waits for its images. Raises Conflict where those are
        several.
        """
        key = self._keys.accession_key(named.accession_number, named.accession_issuer)
        if await self._call(self._store.delete_report_by_accession, key) is ReportOutcome.AMBIGUOUS:
            raise Conflict(
                f"{_SEVERAL} Name who gave the number (accession_issuer), or delete the report of the study, by its "
                "UID, or of each image."
            )

    async def get(self, target: ReportTarget) -> ReportEvidence:
        found = await self._call(self._store.report, target)
        if found is None:
            raise NotFound(f"There is no report of this {target.kind}.")
        return found

    async def delete(self, target: ReportTarget) -> None:
        """Gone from disk and from every later search when it returns, whether or not it was there before."""
        await self._call(self._store.delete_report, target)


def report_of(labels: ReportLabels, base_rates: Vector) -> NewReport:
    """`base_rates` (14,): how often reports state each label. Received now, where nothing says when it was issued."""
    states = tuple(labels.states[name] for name in LABELS)
    issued = labels.issued or datetime.now(UTC)
    return NewReport(
        evidence=evidence_of_report(states, vector(labels.probabilities), base_rates),
        states=states,
        text_model_sha256=labels.text_model_sha256,
        issued=issued.astimezone(UTC),
        issued_given=labels.issued is not None,
    )


def report_was_removed() -> Conflict:
    return Conflict(
        "A report was removed here, and this one is not known to be of later. Send it with the time at which it was "
        "issued, where that is after the removal; or with replace=true."
    )
