"""Tokens for the local stack, signed with a key that is made at start and dies with it."""

from collections.abc import Callable, Iterable

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://issuer.localhost"
AUDIENCE = "socketwatch-local"


class Tokens:
    """An issuer that the local stack's authorizer trusts, and nobody else's does."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._clock = clock

    def public_key(self) -> str:
        """The key to verify with, in PEM."""
        return (
            self._key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def mint(
        self, user: str, rooms: Iterable[str] = ("*",), roles: Iterable[str] = (), ttl: int = 3_600
    ) -> str:
        """A token for *user* that lasts *ttl* seconds and opens *rooms* (names or `prefix*`)."""
        now = self._clock() // 1_000
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            "iat": now,
            "exp": now + ttl,
            "rooms": list(rooms),
            "roles": list(roles),
        }
        return jwt.encode(claims, self._key, algorithm="ES256")
