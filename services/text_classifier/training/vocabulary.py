"""Cuts a WordPiece vocabulary, and the encoder's embedding table with it, to what reports need.

Kept: special tokens, every single character and continuation (so that any word still decomposes), every ASCII
continuation piece, the most frequent words (BERT's vocabulary lists them first), and all that the given texts use.
"""

import json
from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

FREQUENT_WORDS_UP_TO = 9000
"""Position in BERT's vocabulary up to which whole words are kept whether or not the texts use them."""


def cut_vocabulary(tokenizer: Tokenizer, texts: Iterable[str]) -> tuple[Tokenizer, list[int]]:
    """The smaller tokenizer, and for each of its tokens the position that the token had before."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    used = {i for text in texts for i in tokenizer.encode(text, add_special_tokens=True).ids}
    kept = sorted(position for token, position in vocabulary.items() if position in used or _is_kept(token, position))
    names = {position: token for token, position in vocabulary.items()}
    renumbered = {names[old]: new for new, old in enumerate(kept)}

    description = json.loads(tokenizer.to_str())
    description["model"]["vocab"] = renumbered
    description["added_tokens"] = [
        {**added, "id": renumbered[added["content"]]} for added in description["added_tokens"]
    ]
    post_processor = description.get("post_processor") or {}
    for name, special in post_processor.get("special_tokens", {}).items():  # a TemplateProcessing
        special["ids"] = [renumbered[name]]
    for part in ("cls", "sep"):  # a BertProcessing
        if part in post_processor:
            post_processor[part] = [post_processor[part][0], renumbered[post_processor[part][0]]]
    return Tokenizer.from_str(json.dumps(description)), kept


def cut_embeddings(encoder: Any, kept: list[int]) -> None:
    """Keep the given rows of the encoder's word embeddings, in place."""
    old = encoder.get_input_embeddings()
    pad = old.padding_idx
    new = nn.Embedding(len(kept), old.embedding_dim, padding_idx=None if pad is None else kept.index(pad))
    with torch.no_grad():
        new.weight.copy_(old.weight[torch.tensor(kept)])
    encoder.set_input_embeddings(new)
    encoder.config.vocab_size = len(kept)
    encoder.config.pad_token_id = new.padding_idx


def _is_kept(token: str, position: int) -> bool:
    if token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"):
        return True
    if token.startswith("[unused"):
        return False
    piece = token.removeprefix("##")
    if len(piece) == 1:
        return True
    return piece.isascii() and (token.startswith("##") or position < FREQUENT_WORDS_UP_TO)
