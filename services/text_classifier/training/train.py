"""Fine-tunes a text model on labelled texts."""

import json
from dataclasses import dataclass, replace

import torch
from tokenizers import Tokenizer

from services.text_classifier.examples.sources import Parts, gather
from services.text_classifier.training.base import Base, load_base
from services.text_classifier.training.batches import BatchMaker
from services.text_classifier.training.options import Options
from services.text_classifier.training.run import Run
from services.text_classifier.training.vocabulary import cut_embeddings, cut_vocabulary


@dataclass(frozen=True)
class Trained:
    """The best network of a run with its tokenizer (`base`), and the examples it learned from and was judged on."""

    base: Base
    parts: Parts
    options: Options


def train(options: Options) -> Trained:
    """Train until the epochs are over or validation gains no more. A run in the same folder is taken up again."""
    torch.manual_seed(options.seed)
    parts = gather(options.sources)
    base = _with_vocabulary(load_base(options.base), options, parts)
    maker = BatchMaker(base.tokenizer, batch_size=options.batch_size, max_tokens=options.max_tokens)
    parts.validation = [example for example in parts.validation if maker.fits(example.text)]
    Run(base.network, maker, parts, options).to_the_end()
    return Trained(base, parts, options)


def _with_vocabulary(base: Base, options: Options, parts: Parts) -> Base:
    wanted = base.name == "minilm" if options.cut_vocabulary is None else options.cut_vocabulary
    if not (wanted and base.pretrained):
        return base
    file = options.out / "checkpoints" / "vocabulary.json"
    if not file.is_file():
        texts = (example.text for example in parts.training_texts(0))
        tokenizer, kept = cut_vocabulary(base.tokenizer, texts)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"tokenizer": tokenizer.to_str(), "kept": kept}), encoding="utf-8")
    cut = json.loads(file.read_text(encoding="utf-8"))  # what a stopped run began with holds to its end
    cut_embeddings(base.network.encoder, cut["kept"])
    return replace(base, tokenizer=Tokenizer.from_str(cut["tokenizer"]))
