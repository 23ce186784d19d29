"""What was heard of a fault, against what had to be."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from console.cloudwatch.alarm import State
from console.cloudwatch.board import Transition
from local.gameday.table import Row

MINUTE = 60


@dataclass(slots=True)
class Heard:
    """The alarms that fired since a fault began, by logical id, in epoch seconds.

    Attributes:
        began, healed: when the fault began and when it was healed.
        fired: when each alarm first fired.
        over: when each was out of ALARM for good, as far as is known.
    """

    began: int
    healed: int | None = None
    fired: dict[str, int] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)

    def hear(self, transition: Transition, logical_id: str) -> None:
        """Take an alarm's change of state."""
        if transition.after is State.ALARM:
            self.fired.setdefault(logical_id, transition.at)
            self.over.pop(logical_id, None)
        elif logical_id in self.fired:
            self.over[logical_id] = transition.at

    def burning(self, alarms: Iterable[str]) -> bool:
        """Whether one of these fired and is not over."""
        return any(alarm in self.fired and alarm not in self.over for alarm in alarms)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row's outcome.

    Attributes:
        fired: minutes from the beginning until each expected alarm fired; None if it never did.
        cleared: minutes from healing until each expected alarm was over; None if it never was.
        spurious: alarms that notify somebody, and neither had to fire nor were allowed to.
        unfired: faults that never struck.
        restless: alarms that notify somebody, and kept the quiet after it from coming.
    """

    row: Row
    fired: Mapping[str, int | None]
    cleared: Mapping[str, int | None]
    spurious: tuple[str, ...]
    unfired: tuple[str, ...]
    restless: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[str, ...]:
        """Expected alarms that did not fire, or were not over, in the time that the row gives."""
        return tuple(
            alarm
            for alarm in self.row.fires
            if is_late(self.fired[alarm], self.row.within)
            or is_late(self.cleared[alarm], self.row.clears)
        )

    @property
    def holds(self) -> bool:
        """Whether all was as the table says."""
        return not (self.missed or self.spurious or self.unfired or self.restless)


def is_late(minutes: int | None, limit: int) -> bool:
    """Whether something took longer than it may, or never came."""
    return minutes is None or minutes > limit


def judge(
    row: Row,
    heard: Heard,
    notifying: Collection[str],
    unfired: Iterable[str],
    restless: Iterable[str] = (),
) -> Verdict:
    """The verdict on a row, from all that was heard until it was quiet again.

    Args:
        row: What was expected.
        heard: What was heard.
        notifying: The alarms that tell somebody; the others are parts of these.
        unfired: What was injected and never struck.
        restless: Alarms for which it did not become quiet.
    """
    healed = heard.healed if heard.healed is not None else heard.began
    return Verdict(
        row=row,
        fired={alarm: _minutes(heard.began, heard.fired.get(alarm)) for alarm in row.fires},
        cleared={alarm: _minutes(healed, heard.over.get(alarm)) for alarm in row.fires},
        spurious=tuple(
            sorted(
                alarm
                for alarm in heard.fired
                if alarm in notifying and alarm not in row.fires and alarm not in row.may
            )
        ),
        unfired=tuple(unfired),
        restless=tuple(restless),
    )


def _minutes(since: int, at: int | None) -> int | None:
    return None if at is None else max(0, -(-(at - since) // MINUTE))
