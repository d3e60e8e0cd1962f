"""Where training texts come from, and which part of the split each belongs to."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.text_classifier.examples.labelled import (
    Example,
    Part,
    deduplicated,
    encode_states,
    is_unlabelled,
    part_of,
    read_csv,
)
from services.text_classifier.examples.openi import load_openi
from services.text_classifier.examples.writer.corpus import generate
from services.text_classifier.examples.writer.phrasebook import hard_texts
from services.text_classifier.reading.sentences import sentence_spans
from services.text_classifier.rules.labeler import label_report

GENERATED_VALIDATION = 600
VALIDATION_SEED = 1_000_000


@dataclass(frozen=True)
class Sources:
    """`generated`, `hard` and `mixed` texts are made anew for every epoch, so many each time.

    Hard texts are those of the phrasebook; mixed ones are composed of sentences of different real reports. The rules
    label both.
    """

    csv: Sequence[Path] = ()
    text_column: str = "impression"
    patient_column: str | None = None
    openi: Path | None = None
    generated: int = 0
    hard: int = 0
    mixed: int = 0
    seed: int = 1


@dataclass
class Parts:
    """`made` gives the texts that are made for an epoch, which are trained on beside `train`."""

    made: Callable[[int], list[Example]]
    train: list[Example] = field(default_factory=list)
    validation: list[Example] = field(default_factory=list)
    test: list[Example] = field(default_factory=list)

    def add(self, example: Example, part: Part) -> None:
        getattr(self, part).append(example)

    def training_texts(self, epoch: int) -> list[Example]:
        return self.train + self.made(epoch)


def gather(sources: Sources) -> Parts:
    """All examples by part. Raises ValueError where there is nothing to train on."""
    parts = Parts(made=lambda epoch: _made(sources, parts.train, epoch))
    for file in sources.csv:
        for example in _csv_examples(file, sources):
            parts.add(example, part_of(example.group))
    if sources.openi:
        for example in deduplicated(openi_examples(sources.openi)):
            parts.add(example, part_of(example.group))
    if sources.generated:
        parts.validation += generated_examples(
            sources.seed + VALIDATION_SEED, min(GENERATED_VALIDATION, sources.generated)
        )
    if not parts.training_texts(0) or not parts.validation:
        raise ValueError("Nothing to train on: give CSV files, the Open-i reports or a number of generated reports.")
    return parts


def openi_examples(file: Path) -> Iterator[Example]:
    """Each report's impression, findings, and both together, labelled by the rules in the clinical convention."""
    for report in load_openi(file):
        both = f"{report.findings}\n{report.impression}" if report.findings and report.impression else None
        for text in filter(None, (report.impression, report.findings, both)):
            yield _labelled(text, f"openi-{report.uid}", "Open-i")


def _labelled(text: str, group: str, source: str) -> Example:
    return Example(text, encode_states(label_report(text)), group, source)


def _csv_examples(file: Path, sources: Sources) -> list[Example]:
    """As the file labels them, or by the rules where it labels none."""
    examples = read_csv(file, sources.text_column, sources.patient_column)
    if is_unlabelled(examples):
        return [_labelled(example.text, example.group, f"{file.name}, labelled by rules") for example in examples]
    return examples


def _made(sources: Sources, real: Sequence[Example], epoch: int) -> list[Example]:
    seed = sources.seed + 1000 * epoch
    hard = [_labelled(text, f"hard-{seed}-{i}", "phrasebook") for i, text in enumerate(hard_texts(seed, sources.hard))]
    return _mixtures(real, sources.mixed, seed) + hard + generated_examples(seed, sources.generated)


def generated_examples(seed: int, count: int) -> list[Example]:
    return [
        Example(labeled.text, encode_states(labeled.states), f"generated-{seed}-{i}", "generated")
        for i, labeled in enumerate(generate(seed, count))
    ]


def _mixtures(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    sentences = [example.text[start:end] for example in examples for start, end in sentence_spans(example.text)]
    sentences = list(dict.fromkeys(sentence for sentence in sentences if sentence.strip(" .0123456789")))
    if not sentences:
        return []
    rng = random.Random(seed)
    texts = (" ".join(rng.choices(sentences, k=rng.choice((1, 1, 2, 3, 4, 5)))) for _ in range(count))
    return [_labelled(text, f"mixed-{i}", "mixed sentences") for i, text in enumerate(texts)]
