import socket

import pytest

from shared.web.serve import _listen


def test_port_in_use_is_one_clear_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"gateway: port {port} on 127\.0\.0\.1 is in use.*CHEX_GATEWAY_PORT"):
            _listen("127.0.0.1", port, "gateway", "CHEX_GATEWAY_PORT")


def test_address_of_another_machine_is_one_clear_sentence():
    with pytest.raises(SystemExit, match=r"cannot listen on 192\.0\.2\.1:8000"):
        _listen("192.0.2.1", 8000, "gateway", "CHEX_GATEWAY_PORT")
