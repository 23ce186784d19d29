"""The one clock of a local stack, which may run faster than real time.

With it, hours of alarm windows pass in minutes: whatever stamps something (the edge, the functions,
the schedules, the bridge) asks the same clock. What merely takes its time, such as a call or the
delay of a queue, takes as long as ever.
"""

import time
from dataclasses import dataclass

from socketwatch.clock import SECOND

DAY_MS = 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Epoch milliseconds that pass *scale* times as fast as real ones.

    Args:
        scale: Virtual milliseconds a real one, above 0.
        started: When it was started, in real epoch milliseconds.
        origin: What it showed then.

    Raises:
        ValueError: The scale is not above 0.
    """

    scale: float
    started: int
    origin: int

    def __post_init__(self) -> None:
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"the time scale must be above 0, not {self.scale}")

    @classmethod
    def start(cls, scale: float) -> "ScaledClock":
        """A clock that begins now.

        At scale 1 it is real time. At any other it begins a day ahead, so that what the local AWS
        stamps by itself, in real time, can never be taken for something of the run.
        """
        now = real_ms()
        return cls(scale, now, now if scale == 1 else now + DAY_MS)

    def __call__(self) -> int:
        """Now, in virtual epoch milliseconds."""
        return self.virtual(real_ms())

    def virtual(self, real: int) -> int:
        """What the clock shows at a real time, in epoch milliseconds."""
        return self.origin + round((real - self.started) * self.scale)

    def real(self, virtual: int) -> int:
        """When it shows that, in real epoch milliseconds."""
        return self.started + round((virtual - self.origin) / self.scale)

    def seconds(self, virtual: float) -> float:
        """How many real seconds so many virtual ones last."""
        return virtual / self.scale

    def environment(self) -> dict[str, str]:
        """What an interpreter needs to keep this time (`local/interpreter`)."""
        return {"SOCKETWATCH_CLOCK": f"{self.scale} {self.started} {self.origin}"}


def real_ms() -> int:
    """Real time, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
