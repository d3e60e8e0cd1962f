"""An answer on a terminal, beside what the gallery's own table says."""

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Column, Table

from gateway.demo.gallery import Stated
from shared.labels import LabelName, State
from shared.schemas.retrieve import RetrieveResponse

_PIPED_WIDTH = 120

console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def show(answer: RetrieveResponse, stated: Mapping[str, Stated]) -> None:
    """`stated`: what the gallery's table says of each image, by image ID; empty where it says nothing."""
    result = answer.results[0]
    labels = Table("label", "state", "probability", title="What the impression says")
    for name, label in result.labels.items():
        if label.state is not State.NOT_MENTIONED:
            labels.add_row(name, label.state, f"{label.probability:.3f}")
    console.print(labels)
    for warning in result.warnings:
        console.print(warning.message)
    if result.hits:
        console.print(_hits(answer, stated))
    if result.reason:
        console.print(result.reason)
    if stated and result.query:
        found = [hit.image_id for hit in result.hits]
        console.print(how_many_show(frozenset(result.query), found, stated), soft_wrap=True)
    console.print(f"{answer.timings_ms['total']:.0f} ms in the gateway, over {answer.index.size} images.")


def _hits(answer: RetrieveResponse, stated: Mapping[str, Stated]) -> Table:
    """Narrow enough for 80 columns: what belongs to one hit stands on several lines."""
    hits = Table(Column("image", no_wrap=True), "what the encoder sees", title="Most similar", show_lines=True)
    if stated:
        hits.add_column("the gallery's own table")
    for hit in answer.results[0].hits:
        lists = {"matched": hit.matched, "missed": hit.missed, "extra": hit.extra}
        seen = "\n".join(f"{word} {', '.join(names)}" for word, names in lists.items() if names)
        words = [stated[hit.image_id].words] if hit.image_id in stated else []
        hits.add_row(f"{hit.rank}. {hit.image_id}\nscore {hit.score:.4f}", seen, *words)
    return hits


def how_many_show(asked: frozenset[LabelName], found: list[str], stated: Mapping[str, Stated]) -> str:
    """How many images there were to find, by the gallery's own table, and how many of them were found."""
    show_all = {image_id for image_id, one in stated.items() if asked <= one.labels}
    what = {1: " and ".join(asked), 2: "both findings"}.get(len(asked), f"all {len(asked)} findings")
    shown = f"{len(show_all) or 'None'} of the {len(stated)} images {'shows' if len(show_all) <= 1 else 'show'} {what}"
    if not show_all:
        return f"{shown} by the gallery's own table."
    among = len(show_all.intersection(found))
    return f"{shown} by the gallery's own table; {among or 'none'} of them {_is(among)} among the {len(found)} found."


def _is(count: int) -> str:
    return "is" if count <= 1 else "are"
