"""The account's throttle, and what spends from it."""

from local.edge.bucket import TokenBucket
from local.edge.counts import EdgeCounts, RequestKind


class AccountThrottle:
    """One bucket for everything that API Gateway counts: a token a request, whatever its kind.

    "A token counts for a request" (API Gateway guide, Protecting your WebSocket API), and the
    account's quota is shared with callbacks (API Gateway quotas). AWS calls it a target that it
    may miss; here it is exact.
    """

    def __init__(self, bucket: TokenBucket, counts: EdgeCounts) -> None:
        self._bucket = bucket
        self._counts = counts

    def admits(self, kind: RequestKind) -> bool:
        """Spend one token on a request; False, and counted, if there is none."""
        if self._bucket.take():
            return True
        self._counts.throttled[kind] += 1
        return False
