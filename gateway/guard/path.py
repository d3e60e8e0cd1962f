"""The path of a request, as the routes read it."""

from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """Without the prefix under which a proxy serves the gateway, where it has come along."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path
