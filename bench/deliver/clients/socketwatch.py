"""Our sender, with work that hands out calls and counts replies."""

import ssl
import sys
import time
from itertools import cycle, islice

from bench.deliver.clients import Order
from bench.deliver.load import ACCESS_KEY, IDS, PAYLOAD, REGION, SECRET_KEY, TOKEN
from socketwatch.aws.environment import now_ms
from socketwatch.aws.sender import Sender
from socketwatch.calls import Call, Method, Reply
from socketwatch.sigv4 import Credentials


class Posts:
    """The `Work` of a broadcast without a pace."""

    def __init__(self, number: int) -> None:
        self._ids = islice(cycle(IDS), number)
        self.accepted = 0

    def take(self, now: float) -> Call | None:  # noqa: ARG002 - no pace
        """Post to the next id."""
        connection_id = next(self._ids, None)
        return None if connection_id is None else Call(Method.POST, connection_id, PAYLOAD)

    def wake(self, now: float) -> float | None:
        """Not before another reply."""

    def settle(self, call: Call, reply: Reply, now: float) -> None:  # noqa: ARG002 - counted only
        """Count what was accepted."""
        self.accepted += reply.status == 200


def main() -> None:
    """Make the posts."""
    order = Order.from_command_line()
    work = Posts(order.posts)
    keys = Credentials(ACCESS_KEY, SECRET_KEY, TOKEN)
    sender = Sender(
        order.url,
        REGION,
        lambda: keys,
        clock=time.monotonic,
        wall=now_ms,
        connections=order.in_flight,
        tls=ssl.create_default_context(cafile=order.ca_file),
    )
    sender.run(work)
    sender.close()
    sys.exit(work.accepted != order.posts)


if __name__ == "__main__":
    main()
