"""The network: a BERT encoder, and for each of the 14 labels one learned query that says where the label is read.

A label's query attends over the tokens; the label's four state logits are linear in what it attended to. That costs
14 x 5 vectors of parameters, and its attention is what `evidence.py` starts from.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from shared.labels import LABELS, NO_FINDING, State

NEVER = -1e4
"""Added to the logit of a state that a label cannot have: No Finding is present or not mentioned."""


class LabelAttentionNetwork(nn.Module):
    encoder: Any
    impossible: Tensor

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.query = nn.Parameter(torch.randn(len(LABELS), width) * 0.02)  # (L, D)
        self.state_weight = nn.Parameter(torch.randn(len(LABELS), len(State), width) * 0.02)  # (L, S, D)
        self.state_bias = nn.Parameter(_state_prior())  # (L, S)
        self.register_buffer("impossible", _impossible(), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """(B, T) and (B, T) to `logits` (B, 14, 4), by `LABELS` and `State`, and `attention` (B, 14, T)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # (B, T, D)
        hidden = self.dropout(hidden)
        scores = torch.einsum("btd,ld->blt", hidden, self.query).float()
        scores = scores.masked_fill(attention_mask[:, None, :] == 0, NEVER)
        attention = scores.softmax(dim=-1)  # (B, L, T)
        read = torch.einsum("blt,btd->bld", attention, hidden.float())  # (B, L, D)
        logits = torch.einsum("bld,lsd->bls", read, self.state_weight) + self.state_bias + self.impossible
        return {"logits": logits, "attention": attention}


class SigmoidNetwork(nn.Module):
    """A sequence classifier with 14 outputs, each the log-odds that its label is present."""

    classifier: Any

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        return {"logits": self.classifier(input_ids=input_ids, attention_mask=attention_mask).logits}


def build_torch(folder: Path) -> nn.Module:
    """The network of a model folder, in eval mode with its weights in single precision."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if "encoder" not in config:
        classifier = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        return SigmoidNetwork(classifier).eval()
    if config["outputs"] == "sigmoid":
        network: nn.Module = SigmoidNetwork(_from_config(AutoModelForSequenceClassification, config))
    else:
        network = LabelAttentionNetwork(_from_config(AutoModel, config, **pooler_option(config["encoder"])))
    stored = load_file(folder / "model.safetensors")  # the graph's own constants lie in it as well
    network.load_state_dict({name: stored[name].float() for name in network.state_dict()})
    return network.eval()


def _from_config(architecture: Any, config: dict[str, Any], **options: bool) -> Any:
    encoder = dict(config["encoder"])
    return architecture.from_config(AutoConfig.for_model(encoder.pop("model_type"), **encoder), **options)


def pooler_option(encoder: dict[str, Any]) -> dict[str, bool]:
    """BERT's pooler is not used here, and can be left out; not every architecture has the option."""
    return {"add_pooling_layer": False} if encoder["model_type"] == "bert" else {}


def _state_prior() -> Tensor:
    """Most labels are not mentioned in most reports: starting there saves the first hundred steps."""
    prior = torch.zeros(len(LABELS), len(State))
    prior[:, list(State).index(State.NOT_MENTIONED)] = 2.0
    return prior


def _impossible() -> Tensor:
    mask = torch.zeros(len(LABELS), len(State))
    for state in (State.UNCERTAIN, State.ABSENT):
        mask[LABELS.index(NO_FINDING), list(State).index(state)] = NEVER
    return mask
