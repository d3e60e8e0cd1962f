"""What every router is given."""

from dataclasses import dataclass

from starlette.requests import Request

from gateway.links import Links
from gateway.settings import GatewaySettings
from gateway.upstream.services import ImageIndexClient, TextClassifierClient


@dataclass(frozen=True)
class Parts:
    """The two services, and the settings by which they are called."""

    settings: GatewaySettings
    classifier: TextClassifierClient
    index: ImageIndexClient

    def links(self, request: Request) -> Links:
        return self.settings.links(request.scope.get("root_path", ""))
