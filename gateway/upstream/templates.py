"""The paths of the services without what callers put into them."""

from functools import lru_cache

_KNOWN = frozenset(
    {
        "by-id",
        "by-image",
        "classify",
        "delete",
        "heatmap",
        "images",
        "index",
        "model",
        "patients",
        "report",
        "reports",
        "search",
        "studies",
        "thumbnail",
        "v1",
    }
)


@lru_cache(64)
def template_of(path: str) -> str:
    """`/v1/images/{}/thumbnail`. A word that is not known here counts as a caller's."""
    return "/".join(part if part in _KNOWN or not part else "{}" for part in path.split("/"))
