"""Ids of the form that API Gateway gives out."""

from base64 import urlsafe_b64encode

from local.edge.settings import Rng


def new_id(rng: Rng) -> str:
    """A connection, request or message id: 15 characters of the base64url alphabet and `=`.

    AWS documents no form; every id captured has this one. Eleven random bytes (88 bits) make a
    repeat within one run of no concern.
    """
    return urlsafe_b64encode(rng.randbytes(11)).decode()


def new_trace_id(rng: Rng, now_ms: int) -> str:
    """A value for `X-Amzn-Trace-Id`: the epoch second and 96 random bits, both in hex."""
    return f"Root=1-{now_ms // 1000:08x}-{rng.randbytes(12).hex()}"
