"""API Gateway's quotas, and how much of them is used.

Two matter to a WebSocket API, both of the account and Region: new connections a second
(L-9ED1E49A), and requests a second, which @connections calls share with every REST and HTTP API
(L-8A5B8E43). How many connections may be open has no quota; a budget of one's own stands in.
Source: the API Gateway developer guide, "Quotas" for WebSocket APIs and "Account-level quotas".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

CONNECTS_CODE = "L-9ED1E49A"
REQUESTS_CODE = "L-8A5B8E43"

CONNECTS_DEFAULT = 500
REQUESTS_DEFAULT = 10_000
REQUESTS_LOW = 2_500

LOW_QUOTA_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ap-south-2",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "mx-central-1",
    }
)
"""Regions in which an account begins with a quarter of the requests."""


class Quota(StrEnum):
    """What a utilisation is of; the values of the dimension `Quota`."""

    CONNECTS_PEAK = "connects_peak"  # the busiest second of a minute
    CONNECTS_MEAN = "connects_mean"  # that minute's mean of a second
    CALLBACKS = "callbacks"  # our own calls to @connections: posts, echoes, probes, DELETEs
    REQUESTS = "requests"  # every API Gateway request of the account that metrics show


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the account may do, a second."""

    connects: float
    requests: float


def defaults(region: str) -> Quotas:
    """What an account of that Region begins with."""
    low = region in LOW_QUOTA_REGIONS
    return Quotas(CONNECTS_DEFAULT, REQUESTS_LOW if low else REQUESTS_DEFAULT)


def use(rates: Mapping[Quota, float], quotas: Quotas) -> dict[Quota, float]:
    """Percent that each of *rates*, a second, is of what its quota allows; of no other quota."""
    allowed = {
        Quota.CONNECTS_PEAK: quotas.connects,
        Quota.CONNECTS_MEAN: quotas.connects,
        Quota.CALLBACKS: quotas.requests,
        Quota.REQUESTS: quotas.requests,
    }
    return {quota: 100 * rate / allowed[quota] for quota, rate in rates.items()}
