"""Calls to @connections: many at once, on one thread, over sockets that are kept.

One selector and public `SSLSocket`s rather than a client library: a post costs a thirtieth of
boto3's CPU, and every socket's state is known, so it can be said whether AWS may have acted on a
call that got no reply (`bench/deliver`, `docs/decisions.md`).

A call is sent once. It is sent a second time, on a new socket, only where that cannot post twice:
the socket had served an earlier call, died without a byte of reply, and either the request had
not been handed to the kernel to its last byte, or it was a GET. Sockets that rested through a
freeze are looked at before they are used, which sends nothing, and given up after `IDLE` seconds.
"""

import ssl
import time
from collections.abc import Callable

from socketwatch.aws.addresses import Endpoint
from socketwatch.aws.credentials import CredentialsSource, session_credentials
from socketwatch.aws.environment import now_ms
from socketwatch.aws.link import Link
from socketwatch.aws.pool import Pool
from socketwatch.calls import Call, Method, NoAnswer, Reply, Work
from socketwatch.clock import SECOND, Clock
from socketwatch.http1 import BadReply, Response
from socketwatch.sigv4 import InvalidId, Signer

Monotonic = Callable[[], float]
"""Answers seconds that only ever grow."""

IDLE = 20
"""Seconds between runs after which no socket is used again: the idle time-outs of load balancers
are longer, and what a server says to a frozen machine is lost."""


class Sender:
    """Makes the calls of a `Work` to one management endpoint. Not for two threads at once.

    Certificates are checked, redirects are not followed, HTTP proxies are not used. Sockets are
    opened as needed and kept from run to run. A call ends within twice the sum of both time-outs;
    only looking the endpoint's name up blocks, at most once in 30 seconds while that works.

    Args:
        endpoint: `https://…/stage`; plain `http://` only to this machine.
        region: the API's, also behind a custom domain.
        credentials: asked at the beginning of each run.
        clock: for waiting.
        wall: for the date in signatures; AWS allows it five minutes of error.
        connections: the most sockets, and so calls in flight.
        connect_timeout: seconds for TCP and TLS together.
        reply_timeout: seconds from sending a call to its complete reply.
        tls: by default the system's authorities, loaded when first needed.

    Raises:
        SettingError: *endpoint* is no such URL.
        ValueError: *tls* does not check certificates, or the endpoint's path is not plain.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        credentials: CredentialsSource,
        *,
        clock: Monotonic,
        wall: Clock,
        connections: int = 64,
        connect_timeout: float = 1.0,
        reply_timeout: float = 5.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if tls is not None and not (tls.verify_mode is ssl.CERT_REQUIRED and tls.check_hostname):
            raise ValueError("the TLS context must check certificates and host names")
        self._endpoint = Endpoint.parse(endpoint)
        self._region = region
        self._credentials = credentials
        self._clock = clock
        self._wall = wall
        self._connect_timeout = connect_timeout
        self._reply_timeout = reply_timeout
        self._pool = Pool(self._endpoint, connections, tls)
        # Waits of one kind are equally long, so each dict is in the order of its deadlines.
        self._opening: dict[Link, float] = {}
        self._awaited: dict[Link, float] = {}
        self._left_at = (clock(), wall())
        self._signer = self._signer_for(credentials())

    def run(self, work: Work) -> None:
        """Make calls until *work* has no more and none is in flight.

        What happens to one call never ends the run. What *work* or `credentials` raises does,
        as does an interrupt: calls then in flight are not settled, and may have been applied;
        their sockets are closed.
        """
        self._prepare()
        try:
            while self._turn(work):
                pass
        finally:
            self._opening.clear()
            self._awaited.clear()
            self._pool.discard_busy()
            self._left_at = (self._clock(), self._wall())

    def call(self, call: Call) -> Reply:
        """Make one call and wait for its reply."""
        single = _Single(call)
        self.run(single)
        return single.reply

    def close(self) -> None:
        """Close all sockets; the sender is of no more use."""
        self._pool.close()

    def _signer_for(self, credentials: ...) -> Signer: ...
