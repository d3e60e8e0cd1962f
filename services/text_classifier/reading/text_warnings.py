"""What the caller should know of a text before relying on its labels."""

from services.text_classifier.reading.reading import Reading, Verdict
from services.text_classifier.reading.scorer import NOT_MENTIONED
from shared.schemas.text import TextWarning

NOTHING_STATED = TextWarning(
    code="nothing_stated", message="The text states none of the 14 observations, neither present nor absent."
)


def warnings_of(reading: Reading, verdict: Verdict) -> list[TextWarning]:
    warnings = []
    if reading.language is not None:
        warnings.append(_not_english(reading.language))
    if (verdict.states == NOT_MENTIONED).all():
        warnings.append(NOTHING_STATED)
    return warnings


def _not_english(language: str) -> TextWarning:
    return TextWarning(
        code="not_english",
        language=language,
        message=f"The text, or a passage of it, seems not to be in English (language: {language}). Only English is "
        "read: the labels tell nothing of what is said in another language.",
    )
