"""English, however it is written, is English; what is written in other languages is mostly found out."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from services.text_classifier.examples.writer.corpus import generate
from services.text_classifier.reading.language import foreign_language
from services.text_classifier.reading.sentences import sentence_spans


def language_of(text: str) -> str | None:
    return foreign_language(text, sentence_spans(text))


def impressions() -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / "foreign_impressions.tsv").read_text(encoding="utf-8").splitlines()
    return [(language, text) for language, text in (line.split("\t") for line in lines)]


FOREIGN = impressions()
OTHER_SCRIPTS = [pytest.param(*pair, id=pair[1][:12]) for pair in FOREIGN if pair[0] in {"ar", "ja", "ru", "zh"}]


@pytest.mark.parametrize(
    "text",
    [
        "ETT 3cm above carina, OGT + L SC CVL ok. Incr bibas atx.",
        "Mod L ptx; sm R eff.",
        "EFFUSION: none. PNEUMOTHORAX: none.",
        "Hydropneumothorax.",
        "Situs inversus totalis.",
        "Pectus excavatum. Cor pulmonale.",
        "s/p MVR, PPM leads RA/RV",
        "NAD",
        "PTX?",
        "XXXX XXXX effusion. ___ year old.",
        "Findings d/w Dr. Hernández Ruiz at 14:05.",
        "Signed: Prof. K. Wiśniewski",
        "Read by Nguyễn Thị Hương, MD",
        "Unchanged. Discussed with Dr. Yıldırım Öztürk and Mr. G. Brzęczyszczykiewicz.",
        "No pnuemothorax, plerual effusion or cosnolidation.",
        "NO ACUTE OSSEOUS ABNORMALITY.",
        "Minimal bibasal infiltrates",
        "Swan-Ganz catheter",
        "3 µm filter, 38 °C, ≥ 2 cm",
        "β-thalassemia",
        "...",
        "174.6",
        "\u200b",
        "",
        "edema \0 \u202e \U0001f600",
    ],
)
def test_what_english_reports_hold_is_english(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(("language", "text"), OTHER_SCRIPTS)
def test_another_script_is_another_language_at_once(language: str, text: str) -> None:
    assert language_of(text) is not None


@pytest.mark.parametrize(("least", "most", "share"), [(5, 99, 0.98), (3, 4, 0.9), (1, 2, 0.4)])
def test_another_language_is_found_the_surer_the_more_words_there_are(least: int, most: int, share: float) -> None:
    texts = [text for _, text in FOREIGN if least <= len(text.split()) <= most]
    assert sum(language_of(text) is not None for text in texts) >= share * len(texts)


def test_the_language_found_is_mostly_the_right_one() -> None:
    found = [(language, language_of(text)) for language, text in FOREIGN]
    named = [language == name for language, name in found if name]
    assert sum(named) >= 0.9 * len(named)


@pytest.mark.parametrize("language", ["es", "fr", "de", "it", "pt", "nl", "tr", "pl", "ru", "zh"])
def test_a_foreign_passage_in_an_english_text_is_found(language: str) -> None:
    passage = max((text for name, text in FOREIGN if name == language), key=len)
    english = "The heart is mildly enlarged. Small left pleural effusion with adjacent atelectasis. "
    assert language_of(english + passage) == language_of(f"{passage}\n{english}") == language


def test_capitals_hide_nothing() -> None:
    assert language_of("SE OBSERVA DERRAME PLEURAL Y ATELECTASIA. NO HAY NEUMOTORAX A LA DERECHA.") == "es"


def test_languages_beside_the_common_ones_are_found_too() -> None:
    texts = {
        "sv": "Ingen säker pneumothorax. Ökad mängd pleuravätska på vänster sida.",
        "fi": "Keskiviivan rakenteet ovat paikallaan, keuhkoissa ei ole uusia tiivistymiä.",
        "cs": "Bez čerstvých ložiskových změn, srdeční stín není rozšířen.",
        "hu": "A bal oldalon kevés mellkasi folyadék látható, légmell nincs.",
    }
    assert {language: language_of(text) for language, text in texts.items()} == {
        language: language for language in texts
    }


def test_generated_english_is_taken_for_another_language_less_than_once_in_a_thousand() -> None:
    texts = [example.text for example in generate(seed=31, count=3000)]
    assert taken_for_foreign(texts) <= 3
    assert taken_for_foreign(dict.fromkeys(sentences(texts))) <= 10


@pytest.mark.slow
@pytest.mark.real_data
def test_real_english_is_taken_for_another_language_less_than_once_in_a_thousand(real_data: Path) -> None:
    with (real_data / "openi_reports" / "indiana_reports.csv").open(encoding="utf-8") as file:
        reports = list(csv.DictReader(file))
    for part in ("impression", "findings"):
        texts = dict.fromkeys(report[part] for report in reports)
        assert taken_for_foreign(texts) <= len(texts) / 1000
        lone = dict.fromkeys(sentences(texts))
        assert taken_for_foreign(lone) <= len(lone) / 1000


def taken_for_foreign(texts: Iterable[str]) -> int:
    return sum(language_of(text) is not None for text in texts)


def sentences(texts: Iterable[str]) -> list[str]:
    return [sentence for text in texts for sentence in re.split(r"(?<=[.?!])\s+", text) if sentence]
