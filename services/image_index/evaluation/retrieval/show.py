"""One impression's answer as a picture."""

import textwrap
from pathlib import Path
from typing import Any

import httpx

from services.image_index.evaluation.retrieval.plots import draw_hits


def show_impression(impression: str, gateway: httpx.Client, k: int, out: Path) -> str | None:
    """Draws the answer to `out`; returns the reason where there is none. Raises httpx.HTTPError."""
    response = gateway.post("/v1/retrieve", json={"impression": impression, "k": k})
    response.raise_for_status()
    result: dict[str, Any] = response.json()["results"][0]
    hits = result["hits"]
    if not hits:
        return str(result["reason"])
    pictures = [_thumbnail(gateway, hit["image_id"]) for hit in hits]
    asked = ", ".join(f"{label} {weight:g}" for label, weight in result["query"].items())
    title = "\n".join([textwrap.shorten(impression, 160), f"query: {asked}"])
    draw_hits(title, [_caption(hit) for hit in hits], [hit["score"] for hit in hits], pictures, out)
    return None


def _thumbnail(gateway: httpx.Client, image_id: str) -> bytes:
    response = gateway.get(f"/v1/images/{image_id}/thumbnail")
    response.raise_for_status()
    return response.content


def _caption(hit: dict[str, Any]) -> str:
    lines = [f"{hit['score']:.3f}  {hit['image_id']}"]
    lines += [f"{word}: {', '.join(hit[word])}" for word in ("matched", "missed", "extra") if hit[word]]
    return "\n".join(textwrap.fill(line, 42) for line in lines)
