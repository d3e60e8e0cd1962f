"""Fine-tuned vision transformers of the timm library, with maps of what each patch says for a label.

Their logits are the library's own. A map is made so that its mean is the label's logit, as with every other network.
"""

import math
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional


class ClassTokenNet(nn.Module):
    """The head reads the class token, so that no patch has a logit of its own.

    The map shows what each patch gives the class token in the last layer: its value, weighed by the class token's
    attention and read by the label's weights. That is the direct path; what the last layer's perceptron makes of it,
    and what earlier layers brought, is spread evenly.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        net = self.net
        tokens = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(pixels))))  # noqa: SLF001 (B, T, D)
        *early, last = net.blocks
        for block in early:
            tokens = block(tokens)
        given = _given_to_class_token(last, tokens)[:, net.num_prefix_tokens :]  # (B, N, D)
        tokens = last(tokens)
        logits = net.forward_head(net.norm(tokens))  # (B, 14)
        read = _read_through_norm(given, tokens[:, :1], net.norm, net.head.weight)  # (B, N, 14)
        patches = read.shape[1]
        even = logits - read.sum(dim=1)  # (B, 14)
        return {"logits": logits, "cam": _as_grid(read * patches + even.unsqueeze(1))}


class PooledTokensNet(nn.Module):
    """The head reads the mean of the patches' tokens, through a norm or without: the map is exact."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        net = self.net
        tokens = net.forward_features(pixels)  # (B, T, D)
        patches = tokens[:, net.num_prefix_tokens :]
        weight, bias = net.head.weight, net.head.bias
        if isinstance(net.fc_norm, nn.LayerNorm):
            bias = bias + weight @ net.fc_norm.bias
            read = _read_through_norm(patches, patches.mean(dim=1, keepdim=True), net.fc_norm, weight)
        else:
            read = functional.linear(patches, weight)
        return {"logits": net.forward_head(tokens), "cam": _as_grid(read + bias)}


def _given_to_class_token(block: Any, tokens: torch.Tensor) -> torch.Tensor:
    """(B, T, D): what each token adds to the class token by the block's attention."""
    attention = block.attn
    batch, count, _ = tokens.shape
    qkv = attention.qkv(block.norm1(tokens)).reshape(batch, count, 3, attention.num_heads, attention.head_dim)
    queries, keys, values = qkv.permute(2, 0, 3, 1, 4)  # (B, H, T, d) each
    queries, keys = attention.q_norm(queries[:, :, :1]), attention.k_norm(keys)
    weights = (queries * attention.scale @ keys.transpose(-2, -1)).softmax(dim=-1)  # (B, H, 1, T)
    weighed = (weights.transpose(-2, -1) * values).transpose(1, 2).flatten(2)  # (B, T, H·d)
    return cast("torch.Tensor", block.ls1(functional.linear(weighed, attention.proj.weight)))


def _read_through_norm(
    parts: torch.Tensor, whole: torch.Tensor, norm: nn.LayerNorm, weight: torch.Tensor
) -> torch.Tensor:
    """(B, N, D) -> (B, N, L): what each part of `whole` (B, 1, D) adds to the logits, its norm's scale given."""
    directions = weight * norm.weight  # (L, D)
    directions = directions - directions.mean(dim=1, keepdim=True)
    scale = (whole.var(dim=-1, unbiased=False, keepdim=True) + norm.eps).rsqrt()  # (B, 1, 1)
    return functional.linear(parts, directions) * scale


def _as_grid(by_patch: torch.Tensor) -> torch.Tensor:
    """(B, N, L) -> (B, L, h, w)."""
    side = math.isqrt(by_patch.shape[1])
    return by_patch.transpose(1, 2).reshape(by_patch.shape[0], -1, side, side)
