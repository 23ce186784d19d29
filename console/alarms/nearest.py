"""What somebody may have meant."""

from collections.abc import Collection
from difflib import get_close_matches

MOST = 3
"""Names that are proposed; a person reads no list of fifty."""


def nearest(name: str, known: Collection[str]) -> str:
    """The names most like *name*; where none is like it, a few, and how many more there are."""
    plain = {one.lower(): one for one in known}
    like = get_close_matches(name.lower(), plain, MOST)
    if like:
        return ", ".join(plain[one] for one in like)
    left = len(known) - MOST
    return ", ".join(list(known)[:MOST]) + (f" or one of {left} more" if left > 0 else "")
