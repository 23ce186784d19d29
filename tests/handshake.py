"""A peer's way in: an issuer that signs tokens, and the event in which API Gateway shows one."""

import base64
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from socketwatch.keys import Key
from tests.captured import connect_event
from tests.fakes import NOW

ORIGIN = "https://app.example.com"
ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/live/$connect"


@dataclass(frozen=True)
class Issuer:
    """Signs whatever it is told to; its key is RSA unless given."""

    key_id: str = "2024-11"
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(65_537, 2_048)
    )

    @property
    def key(self) -> Key:
        return Key.of(self.private.public_key())

    @property
    def pem(self) -> str:
        encoded = self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return encoded.decode()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JWKS lists it."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
        else:
            jwk = ECAlgorithm.to_jwk(public, as_dict=True)
        return {**jwk, "kid": self.key_id, "use": "sig"}

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token valid at `NOW` but for the changed claims; a claim of None is left out."""
        claims = {
            "iss": "https://issuer.example.com",
            "aud": "socketwatch",
            "sub": "user-1",
            "iat": NOW // 1_000,
            "exp": NOW // 1_000 + 3_600,
        }
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        stated = {"alg": self.key.algorithm, "typ": "JWT", "kid": self.key_id} | (header or {})
        return self.sign(json.dumps(stated).encode(), json.dumps(kept).encode())

    def sign(self, header: bytes, payload: bytes) -> str:
        """A token of exactly these bytes, well-formed or not."""
        signing_input = f"{segment(header)}.{segment(payload)}"
        if isinstance(self.private, rsa.RSAPrivateKey):
            signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signing_input.encode(), self.private)
        else:
            signature = ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input.encode(), self.private)
        return f"{signing_input}.{segment(signature)}"


def segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def issuer() -> Issuer:
    """The trusted one, of RSA."""
    return Issuer()


@cache
def elliptic_issuer() -> Issuer:
    """The trusted one, of P-256."""
    return Issuer("2024-ec", ec.generate_private_key(ec.SECP256R1()))


@cache
def stranger() -> Issuer:
    """One that nobody here trusts, though its key has a trusted id."""
    return Issuer()


def keys(key_id: str | None) -> Key | None:
    """The `Keys` of both trusted issuers."""
    trusted = {one.key_id: one.key for one in (issuer(), elliptic_issuer())}
    return trusted.get(key_id or issuer().key_id)


def authorizer_event(
    *tokens: str, origins: tuple[str, ...] = (ORIGIN,), query: tuple[str, ...] = (), **changes: Any
) -> dict[str, Any]:
    """What the authorizer of `$connect` is called with, the *tokens* offered as subprotocols."""
    headers: dict[str, list[str]] = {"Host": ["abc123.execute-api.us-east-1.amazonaws.com"]}
    if origins:
        headers["Origin"] = list(origins)
    if tokens:
        offers = ["socketwatch.v1", *(f"bearer.{token}" for token in tokens)]
        headers["Sec-WebSocket-Protocol"] = [", ".join(offers)]
    event = connect_event() | {
        "type": "REQUEST",
        "methodArn": ARN,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "stageVariables": {},
    }
    if query:
        event["queryStringParameters"] = {"token": query[-1]}
        event["multiValueQueryStringParameters"] = {"token": list(query)}
    return event | changes
