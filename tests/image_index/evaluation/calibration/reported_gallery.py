"""Galleries whose images all have a report, as the store hands them out and as an index on the disk."""

from pathlib import Path

import numpy as np

from services.image_index.encoding.imported import ImportedPredictions
from services.image_index.evaluation.calibration.cases import Cases, cases_of
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.reader import simulated_reports
from services.image_index.evaluation.retrieval.simulate import Calibration, simulate
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.report_evidence import evidence_of_report
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.reported import ReportedImages
from services.image_index.store.reports import NewReport
from shared.labels import LABELS, State
from tests.image_index.store.conftest import WEIGHTS, made_image, made_report

PRIOR = shipped_prior()


def simulated(
    calibration: Calibration = "distorted",
    *,
    auroc: float = 0.8,
    images: int = 1500,
    seed: int = 0,
    reader: float = 1.0,
) -> tuple[Predictions, ReportedImages]:
    predictions = simulate(PRIOR, images, auroc, calibration=calibration, seed=seed)
    evidence = simulated_reports(predictions.truth, reader, PRIOR.base_rates, np.random.default_rng(seed))
    stated = np.where(evidence > 0, 1, np.where(evidence == 0, np.nan, 0)).astype(np.float32)
    probabilities = predictions.probabilities.astype(np.float32)
    return predictions, ReportedImages(predictions.patients, probabilities, stated, evidence, {})


def simulated_cases(calibration: Calibration = "distorted", **how: float) -> Cases:
    return cases_of(simulated(calibration, **how)[1])


def write_index(data_dir: Path, calibration: Calibration = "distorted", *, images: int = 600) -> Predictions:
    """Of imported predictions, whose reports say what is true."""
    predictions, _ = simulated(calibration, images=images)
    folder = data_dir / "image-index"
    with EmbeddedStore(folder, WEIGHTS) as store:
        store.put(
            [
                made_image(f"i{n:04d}", probabilities, patient_key=patient, report=report_that_states(truth))
                for n, (probabilities, patient, truth) in enumerate(
                    zip(predictions.probabilities, predictions.patients.tolist(), predictions.truth, strict=True)
                )
            ]
        )
    note_of_predictions(data_dir)
    return predictions


def note_of_predictions(data_dir: Path) -> None:
    """So that no encoder is needed."""
    note = ImportedPredictions(model_name="m", weights_sha256=WEIGHTS, thresholds=dict.fromkeys(LABELS, 0.5))
    note.note_in(data_dir / "image-index")


def report_that_states(present: np.ndarray, uncertain: str | None = None) -> NewReport:
    """`present` (14,) of 0 and 1; what is not present is not mentioned."""
    states = [State.PRESENT if one else State.NOT_MENTIONED for one in present]
    if uncertain is not None:
        states[LABELS.index(uncertain)] = State.UNCERTAIN
    evidence = evidence_of_report(states, present.astype(np.float64), PRIOR.base_rates)
    made = made_report()
    return NewReport(evidence, tuple(states), made.text_model_sha256, made.issued)
