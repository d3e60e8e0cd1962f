"""What an expression of PromQL asks for."""

from collections.abc import Iterator
from typing import Any

import promql_parser

SCRAPED = {"job", "instance"}  # labels that Prometheus adds


def asked_of(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric, with the labels that are asked of it, by matchers or by grouping. Raises where it is not PromQL."""
    yield from _asked(promql_parser.parse(expression.replace("$__rate_interval", "5m")), set())


def _asked(node: Any, grouped: set[str]) -> Iterator[tuple[str, set[str]]]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name, (grouped | {matcher.name for matcher in node.matchers.matchers}) - SCRAPED
        return
    if isinstance(node, promql_parser.AggregateExpr):
        grouped = grouped | set(node.modifier.labels if node.modifier else ())
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for part in (*below, *getattr(node, "args", ())):
        if part is not None:
            yield from _asked(part, grouped)
