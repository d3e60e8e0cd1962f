"""HEAD over a real server, which counts the bytes that it sends away."""

import httpx

from tests.shared.web.conftest import bare_app


def test_connection_goes_on_after_head(serve):
    with httpx.Client(base_url=f"http://127.0.0.1:{serve(bare_app())}") as client:
        got, asked = client.get("/healthz"), client.head("/healthz")
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-length"] == got.headers["content-length"]
        again = client.get("/healthz")
        assert again.extensions["network_stream"] is got.extensions["network_stream"]
