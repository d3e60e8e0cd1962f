import pytest

from shared.web.loopback import is_loopback


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_nobody_elsewhere_reaches_a_loopback_address(address):
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "", "10.0.0.1", "gateway", "127.0.0.1.example", "localhost.example"]
)
def test_every_other_address_counts_as_reached_from_elsewhere(address):
    assert not is_loopback(address)
