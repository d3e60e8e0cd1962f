"""Fine-tunes a text model on labelled texts."""

from dataclasses import dataclass, replace

import torch

from services.text_classifier.training.base import Base, load_base
from services.text_classifier.training.batches import BatchMaker
from services.text_classifier.training.options import Options
from services.text_classifier.training.run import Run
from services.text_classifier.training.sources import Parts, gather
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
    parts.train = [example for example in parts.train if maker.fits(example.text)]
    parts.validation = [example for example in parts.validation if maker.fits(example.text)]
    Run(base.network, maker, parts, options).to_the_end()
    return Trained(base, parts, options)


def _with_vocabulary(base: Base, options: Options, parts: Parts) -> Base:
    cut = base.name == "minilm" if options.cut_vocabulary is None else options.cut_vocabulary
    if not (cut and base.pretrained):
        return base
    tokenizer, kept = cut_vocabulary(base.tokenizer, (example.text for example in parts.train))
    cut_embeddings(base.network.encoder, kept)
    return replace(base, tokenizer=tokenizer)
