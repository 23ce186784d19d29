"""Calls to @connections: many at once, on one thread, over sockets that are kept.

One selector and public `SSLSocket`s rather than a client library: a post costs a small part of
boto3's CPU, and every socket's state is known, so it can be said whether AWS may have acted on a
call that got no reply (`bench/deliver`, `docs/decisions.md`).

A call is sent once. It is sent a second time, on a new socket, only where that cannot post twice:
the socket had served an earlier call, died without a byte of reply, and either the request had
not been handed to the kernel to its last byte, or it was a GET. Sockets that rested through a
freeze are looked at before they are used, which sends nothing, and given up after `IDLE` seconds.
"""

import ssl
import time

from socketwatch.aws.credentials import CredentialsSource, session_credentials
from socketwatch.aws.environment import now_ms
from socketwatch.aws.pool import Pool
from socketwatch.aws.run import Monotonic, Run, Timing
from socketwatch.calls import Call, Reply, Work
from socketwatch.clock import SECOND, Clock
from socketwatch.endpoint import Endpoint
from socketwatch.sigv4 import Signer

IDLE = 20
"""Seconds between runs after which no socket is used again: the idle time-outs of load balancers
are longer, and what a server says to a frozen machine is lost."""


class Sender:
    """Makes the calls of a `Work` to one management endpoint. Not for two threads at once.

    Certificates are checked, redirects are not followed, HTTP proxies are not used. Sockets are
    opened as needed and kept from run to run. A call ends within twice the sum of both time-outs,
    and its reply is heard however long *work* keeps the sender from listening: that time is not
    the call's. Only looking the endpoint's name up blocks, at most once in 30 seconds while that
    works.

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
        ValueError: *tls* does not check certificates, or there may be no connection.
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
        if connections < 1:
            raise ValueError("there must be at least one connection")
        self._endpoint = Endpoint.parse(endpoint)
        self._region = region
        self._credentials = credentials
        self._timing = Timing(clock, wall, connect_timeout, reply_timeout)
        self._pool = Pool(self._endpoint, connections, tls)
        self._left_at = (clock(), wall())
        self._signer: Signer | None = None

    def run(self, work: Work) -> None:
        """Make calls until *work* has no more and none is in flight.

        What happens to one call never ends the run. What *work* or `credentials` raises does,
        as does an interrupt: calls then in flight are not settled, and may have been applied;
        their sockets are closed.
        """
        run = Run(work, self._current_signer(), self._pool, self._timing)
        self._look_over()
        try:
            while run.turn():
                pass
        finally:
            self._pool.discard_busy()
            self._left_at = (self._timing.clock(), self._timing.wall())

    def call(self, call: Call) -> Reply:
        """Make one call and wait for its reply."""
        single = _Single(call)
        self.run(single)
        return single.reply

    def close(self) -> None:
        """Close all sockets; the sender is of no more use."""
        self._pool.close()

    def _current_signer(self) -> Signer:
        credentials = self._credentials()
        if self._signer is None or self._signer.credentials != credentials:
            self._signer = Signer(credentials, self._region, self._endpoint)
        return self._signer

    def _look_over(self) -> None:
        # A frozen machine's monotonic clock may have stood still, and its wall clock may jump.
        clock, wall = self._left_at
        away = max(self._timing.clock() - clock, (self._timing.wall() - wall) / SECOND)
        if away > IDLE:
            self._pool.discard_all()
        else:
            self._pool.look_over()


class _Single:
    """The `Work` of one call."""

    def __init__(self, call: Call) -> None:
        self._calls = [call]
        self.reply = Reply(0)

    def take(self, now: float) -> Call | None:  # noqa: ARG002 - it may start at any time
        return self._calls.pop() if self._calls else None

    def wake(self, now: float) -> float | None:  # noqa: ARG002 - there is no other call
        return None

    def settle(self, call: Call, reply: Reply, now: float) -> None:  # noqa: ARG002 - as above
        self.reply = reply


def open_sender(endpoint: str, region: str) -> Sender:
    """The sender of a deployed function, to be kept from one invocation to the next."""
    return Sender(endpoint, region, session_credentials(), clock=time.monotonic, wall=now_ms)
