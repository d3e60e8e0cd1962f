"""Which addresses and names mean this machine alone."""

import re
from ipaddress import ip_address

_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)


def is_loopback(address: str) -> bool:
    """Whether nobody elsewhere reaches what listens on `address`."""
    if address == "localhost":
        return True
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def names_this_machine(host: str) -> bool:
    """Whether a Host header, with or without a port, can only have been meant for this machine."""
    return _LOCAL_HOST.fullmatch(host) is not None
