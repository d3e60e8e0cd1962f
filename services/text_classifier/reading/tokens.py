"""Texts as tokens, with the characters that each token covers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from services.inference.model_files import ModelLoadError


@dataclass(frozen=True)
class Tokens:
    """`ids` (n,); token i covers the characters `[starts[i], ends[i])`. `words[i]` counts the words before it."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    words: NDArray[np.int64]


class ReportTokenizer:
    """A folder's tokenizer, without the special tokens: windows add those."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()
        self.cls, self.sep, self.pad = (_special(tokenizer, name) for name in ("[CLS]", "[SEP]", "[PAD]"))

    def __call__(self, text: str) -> Tokens:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
        words = [-1 if word is None else word for word in encoding.word_ids]
        return Tokens(np.array(encoding.ids, np.int64), offsets[:, 0], offsets[:, 1], np.array(words, np.int64))

    def frame(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the model reads: the ids between [CLS] and [SEP]."""
        return np.concatenate(([self.cls], ids, [self.sep]))


def read_tokenizer(folder: Path) -> Tokenizer:
    """`tokenizer.json`, or BERT's older `vocab.txt`. Raises ModelLoadError."""
    try:
        return _read_tokenizer(folder)
    except ModelLoadError:
        raise
    except Exception as error:  # the library raises Exception itself
        raise ModelLoadError(f"The tokenizer in {folder} is damaged: {error}") from error


def _read_tokenizer(folder: Path) -> Tokenizer:
    if (folder / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = folder / "vocab.txt"
    if not vocabulary.is_file():
        raise ModelLoadError(f"{folder} holds neither tokenizer.json nor vocab.txt.")
    options = folder / "tokenizer_config.json"
    lowercase = (
        json.loads(options.read_text(encoding="utf-8")).get("do_lower_case", True) if options.is_file() else True
    )
    tokenizer = Tokenizer(WordPiece.from_file(str(vocabulary), unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def _special(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    if number is None:
        raise ModelLoadError(f"The tokenizer has no {name} token; it must be one of BERT's kind.")
    return int(number)
