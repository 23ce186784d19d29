"""The account's throttle and its connect rate, and what spends from them."""

from collections.abc import Callable

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


class ConnectThrottle:
    """The account's rate of new connections, apart from its throttle: a token a handshake.

    AWS documents 500 new connections a second over all WebSocket APIs of an account in a region
    (API Gateway quotas, L-9ED1E49A) and no burst. Here it is one second's worth, the least that
    lets 500 arrive at once, as a quota a second does; so the first second after a quiet one can
    see up to twice the rate.

    Args:
        rate: Connections a second, above 0; below 1 there is still one to begin with.
        clock: Now, in seconds from any origin.
        counts: Where refusals are counted.
    """

    def __init__(self, rate: float, clock: Callable[[], float], counts: EdgeCounts) -> None:
        self._bucket = TokenBucket(rate, max(1, rate), clock)
        self._counts = counts

    def admits(self) -> bool:
        """Spend one token on a handshake; False, and counted, if there is none."""
        if self._bucket.take():
            return True
        self._counts.throttled[RequestKind.CONNECT] += 1
        return False
