"""What becomes of the text of a report: labels, on their way to the index. It goes no further than the classifier."""

from gateway.upstream.services import TextClassifierClient
from shared.deadline import Deadline
from shared.errors import InvalidInput
from shared.schemas.report_input import ReportInput
from shared.schemas.reports import ReportLabels
from shared.schemas.text import Classification, ClassifyRequest

NOT_ENGLISH = (
    "The report, or a passage of it, seems not to be in English (language: {}), and only English is read: what would "
    "be read in it is no evidence."
)
NONE_READ = (
    "The report has no section that says what is seen (only history, indication, comparison, technique and the like), "
    "so that nothing of it was read: send its findings or its impression."
)


async def read_report(report: ReportInput, classifier: TextClassifierClient, deadline: Deadline) -> ReportLabels:
    """Raises InvalidInput for a text whose labels would be no evidence, and what the classifier's call raises."""
    classified = await classifier.classify(ClassifyRequest(impressions=[report.text]), deadline)
    (classification,) = classified.results
    _check(classification)
    return ReportLabels(
        states={name: result.state for name, result in classification.labels.items()},
        probabilities={name: result.probability for name, result in classification.labels.items()},
        text_model_sha256=classified.model.weights_sha256,
        issued=report.issued,
    )


def _check(classification: Classification) -> None:
    for warning in classification.warnings:
        if warning.code == "not_english":
            raise InvalidInput(NOT_ENGLISH.format(warning.language))
    if classification.sections and not any(section.read for section in classification.sections):
        raise InvalidInput(NONE_READ)
