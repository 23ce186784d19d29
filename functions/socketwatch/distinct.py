"""How many different users or connections there were, counted without keeping who.

Linear counting (Whang, Vander-Zanden, Taylor 1990): one bit for each value that a hash of three
bytes can have. Two of *n* meet in one bit with a chance of n² in 33 million, which the estimate
makes up for: right to the last one for thousands, within 0.1 % for millions.
"""

import math
from collections.abc import Callable, Iterator
from hashlib import blake2b

WIDTH = 3
"""Bytes of a hash."""

_BITS = 1 << 8 * WIDTH


def hasher(salt: str) -> Callable[[str], bytes]:
    """Makes a name three bytes, other ones under another salt, so that nobody can be followed."""
    # A key takes 64 bytes; a broadcast's id may have twice as many.
    key = blake2b(salt.encode()).digest()

    def hashed(name: str) -> bytes:
        return blake2b(name.encode(), digest_size=WIDTH, key=key).digest()

    return hashed


def packed(hashes: set[bytes]) -> bytes:
    """Hashes as one string, in order."""
    return b"".join(sorted(hashes))


def unpacked(row: bytes) -> Iterator[int]:
    """The hashes of such a string, as numbers."""
    for start in range(0, len(row), WIDTH):
        yield int.from_bytes(row[start : start + WIDTH], "big")


class Distinct:
    """Counts different hashes in two megabytes, however many there are."""

    def __init__(self) -> None:
        self._seen = bytearray(_BITS // 8)
        self._bits = 0

    def add(self, hash_: int) -> None:
        """Note one hash."""
        place, bit = hash_ >> 3, 1 << (hash_ & 7)
        if not self._seen[place] & bit:
            self._seen[place] |= bit
            self._bits += 1

    def __contains__(self, hash_: int) -> bool:
        return bool(self._seen[hash_ >> 3] & 1 << (hash_ & 7))

    def count(self) -> int:
        """About how many there were."""
        free = max(1, _BITS - self._bits)
        return round(-_BITS * math.log(free / _BITS))
