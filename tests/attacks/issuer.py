"""An identity provider over real HTTP, whose keys and faults a test chooses."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE = "chexretriever"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, kid: str, **more: object) -> dict[str, Any]:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


class Issuer:
    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [jwk(rsa_key("one"), "one"), jwk(ec_key(), "curve")]
        self.down = False
        self.slow_s = 0.0
        self.asked = 0
        self.url = ""

    def claims(self, **more: object) -> dict[str, object]:
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "dr-1", "iat": now, "nbf": now, "exp": now + 300}
        return {name: value for name, value in {**usual, "scope": "retrieve", **more}.items() if value is not None}

    def token(self, key: Any = None, *, algorithm: str = "RS256", header: dict[str, Any] | None = None, **more) -> str:
        header = {"kid": "one"} if header is None else header
        return jwt.encode(self.claims(**more), key or rsa_key("one"), algorithm=algorithm, headers=header)

    def answer(self, path: str) -> bytes:
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}).encode()
        self.asked += 1
        return json.dumps({"keys": self.keys}).encode()


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(issuer.slow_s)
            self.send_response(500 if issuer.down else 200)
            self.end_headers()
            if not issuer.down:
                self.wfile.write(issuer.answer(self.path))

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
