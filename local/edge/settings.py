"""What can be set about the edge, with API Gateway's own numbers as defaults."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

from local.edge.errors import EdgeError

Clock = Callable[[], int]
"""Now, in epoch milliseconds."""

MAX_MESSAGE_BYTES = 128 * 1024
MAX_FRAME_BYTES = 32 * 1024
MAX_INTEGRATION_MS = 29_000


class Rng(Protocol):
    """Where ids come from; `random.Random` is one."""

    def randbytes(self, n: int, /) -> bytes:
        """`n` random bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Settings of one edge; `_s` is seconds of real time.

    The limits on messages (32 KB a frame, 128 KB) and on integrations (29 s) are fixed, as on AWS.
    `idle_timeout_s` and `lifetime_s` are fixed there too; here they can be compressed.

    Args:
        port: Where peers connect; 0 takes a free one.
        management_port: Where `@connections` is served; 0 takes a free one.
        account_rate: Requests a second that the account's throttle allows in the long run: of
            handshakes, messages and `@connections` calls together.
        account_burst: Most requests at once after a quiet time. AWS's defaults are 10,000 and
            5,000, in some regions 2,500 and 1,250 (API Gateway quotas).
        connect_rate: New connections a second in the long run; as many, at least one, at once after
            a quiet time. AWS's default is 500 (API Gateway quotas, L-9ED1E49A).
        open_timeout_s: The whole handshake, with the wait for a free slot, the authorizer and
            `$connect`.
        close_timeout_s: How long a peer may take to answer a close frame before TCP is cut.
        drain_timeout_s: How long closing the edge waits for functions that run, and for those of
            `$disconnect`, before it gives them up.
        invoke_concurrency: Most functions that run at once.
        invoke_queue: Most calls that wait for one to end.
        messages_per_peer: Most messages of one peer in progress; at that many, its socket is not
            read.
        send_buffer_bytes: Bytes a slow peer may leave unread before posts to it get 429.
        time_scale: How many times faster than real time the edge's clock passes; to be told to who
            asks. The limits here are in real time whatever it is.

    Raises:
        EdgeError: A value is out of range.
    """

    stage: str
    port: int = 0
    management_port: int = 0
    idle_timeout_s: float = 600
    lifetime_s: float = 7200
    account_rate: float = 10_000
    account_burst: int = 5_000
    connect_rate: float = 500
    open_timeout_s: float = 120
    close_timeout_s: float = 2
    drain_timeout_s: float = 10
    invoke_concurrency: int = 8
    invoke_queue: int = 10_000
    messages_per_peer: int = 16
    send_buffer_bytes: int = 1024 * 1024
    time_scale: float = 1

    def __post_init__(self) -> None:
        if not self.stage or "/" in self.stage:
            raise EdgeError(f"stage must be one path segment, not {self.stage!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("port"):
                if not 0 <= value <= 65535:
                    raise EdgeError(f"{field.name} must be between 0 and 65535, not {value}")
            elif field.name == "invoke_queue":
                if value < 0:
                    raise EdgeError(f"invoke_queue must not be negative, not {value}")
            elif field.name != "stage" and not value > 0:
                raise EdgeError(f"{field.name} must be above 0, not {value}")
