"""The rules, a model and TF-IDF with logistic regression side by side, on texts that none of them was trained on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from services.text_classifier.evaluation.metrics import Report, judge
from services.text_classifier.evaluation.predictors import RULES, Predictor, open_predictor
from services.text_classifier.evaluation.tfidf import fit_tfidf
from services.text_classifier.examples.labelled import Example, encode_states, part_of, read_csv
from services.text_classifier.examples.openi import load_openi, problems_to_labels
from services.text_classifier.examples.sources import Sources, gather, generated_examples

Comparison = dict[str, dict[str, Report]]
HELD_OUT_SEED = 77_000_000
HELD_OUT_GENERATED = 1000
TFIDF_GENERATED = 20_000


def compare(model: str, *, openi: Path | None, golden: Path | None, text_column: str = "impression") -> Comparison:
    """Figures by test set, then by predictor."""
    sources = Sources(openi=openi, generated=TFIDF_GENERATED)
    parts = gather(sources)
    sets: dict[str, list[Example]] = {"generated": generated_examples(HELD_OUT_SEED, HELD_OUT_GENERATED)}
    if openi:
        sets["Open-i, rules"] = parts.test
        sets["Open-i, codes"] = list(coded_examples(openi))
    if golden:
        sets["golden"] = read_csv(golden, text_column)
    predictors: dict[str, Predictor] = {name: open_predictor(name) for name in (*RULES, model)}
    predictors["TF-IDF"] = fit_tfidf(parts.training_texts(0))
    return {name: _judge_all(predictors, examples) for name, examples in sets.items()}


def coded_examples(openi: Path) -> Iterator[Example]:
    """Whole reports of the test part with what their manual codes say; coders read findings and impression."""
    for report in load_openi(openi):
        if part_of(f"openi-{report.uid}") == "test":
            states = encode_states(problems_to_labels(report.problems))
            yield Example(report.text, states, report.uid, "Open-i codes")


def _judge_all(predictors: Mapping[str, Predictor], examples: Sequence[Example]) -> dict[str, Report]:
    texts, truth = [example.text for example in examples], np.stack([example.states for example in examples])
    return {name: judge(predictor(texts), truth) for name, predictor in predictors.items()}


def comparison_table(comparison: Comparison) -> Table:
    table = Table(title="F1 of present, with 95 % intervals", title_justify="left")
    for column in ("test set", "predictor", "micro", "macro"):
        table.add_column(column)
    for test_set, by_predictor in comparison.items():
        for predictor, figures in by_predictor.items():
            table.add_row(test_set, predictor, *(_f1(figures["present"][mean]) for mean in ("micro", "macro")))
        table.add_section()
    return table


def _f1(entry: Mapping[str, Report]) -> str:
    low, high = entry["intervals"]["f1"]
    return f"{entry['f1']:.3f} ({low:.3f}–{high:.3f})"
