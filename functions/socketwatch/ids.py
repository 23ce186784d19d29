"""Identifiers that sort by the time they were made."""

from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""Answers so many random bytes."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(now: int, entropy: Entropy) -> str:
    """A ULID: 48 bits of milliseconds, 80 of randomness, 26 characters of Crockford's base 32."""
    number = now << 80 | int.from_bytes(entropy(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
