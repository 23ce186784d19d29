"""Public keys that verify tokens, each bound to one algorithm.

The algorithm comes from the kind of key that was configured and never from a token, so that a token
cannot choose `none` or have an RSA key taken for an HMAC secret (RFC 8725 §3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

RSA_BITS = range(2_048, 8_193)


class Algorithm(StrEnum):
    """The signatures that are understood; each kind of key has exactly one."""

    RS256 = "RS256"
    ES256 = "ES256"


@dataclass(frozen=True, slots=True)
class Key:
    """A public key with the only algorithm that it verifies."""

    algorithm: Algorithm
    public: RSAPublicKey | EllipticCurvePublicKey

    @classmethod
    def of(cls, public: object) -> Self:
        """The key with its algorithm.

        Raises:
            ValueError: neither RSA of 2,048 to 8,192 bits nor EC on P-256.
        """
        if isinstance(public, RSAPublicKey) and public.key_size in RSA_BITS:
            return cls(Algorithm.RS256, public)
        if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
            return cls(Algorithm.ES256, public)
        raise ValueError("not an RSA key of 2048 to 8192 bits, nor an EC key on P-256")

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        r"""The key in a PEM block, whose line ends may be written as `\n` to fit on one line.

        Raises:
            ValueError: no public key, or none of the kinds above.
        """
        try:
            return cls.of(load_pem_public_key(pem.replace("\\n", "\n").encode()))
        except UnsupportedAlgorithm as error:
            raise ValueError("a kind of key that is not supported") from error


Keys = Callable[[str | None], Key | None]
"""Answers the key with that id (None: the token names none), or None where there is no such key.

Raises `Refused` with `keys_unavailable` where it cannot be known.
"""
