"""Lists of calls as `Work`."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from socketwatch.aws.sender import Sender
from socketwatch.calls import Call, Method, Reply


def post(connection_id: str, body: bytes = b"hi") -> Call:
    return Call(Method.POST, connection_id, body)


def posts(number: int) -> list[Call]:
    return [post(f"peer-{index}=", b"%d" % index) for index in range(number)]


@dataclass
class Open:
    """Calls of which each may start at once; writes down how each ended."""

    calls: list[Call]
    taken: int = 0
    settled: list[tuple[Call, Reply]] = field(default_factory=list)

    def take(self, now: float) -> Call | None:  # noqa: ARG002 - each may start at once
        if self.taken == len(self.calls):
            return None
        self.taken += 1
        return self.calls[self.taken - 1]

    def wake(self, now: float) -> float | None:  # noqa: ARG002 - as above
        return None

    def settle(self, call: Call, reply: Reply, now: float) -> None:  # noqa: ARG002 - as above
        self.settled.append((call, reply))

    @property
    def statuses(self) -> list[int]:
        return [reply.status for _, reply in self.settled]


def run(calls: Iterable[Call], by: Sender) -> Open:
    work = Open(list(calls))
    by.run(work)
    return work
