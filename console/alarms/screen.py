"""What the alarm commands print."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from console.alarms.backtest import Fired
from console.alarms.proving import Proof
from console.alarms.watching import Status

MOST_SPELLS = 5
"""Spells of one alarm that are shown."""


def proof_lines(proof: Proof) -> Iterator[str]:
    """A row an alarm, then all that is wrong."""
    yield f"{'alarm':<34}{'cases':>7}{'failed':>8}{'mutants':>9}{'survivors':>11}"
    for one in proof.proved:
        failed = len(one.failures) + len(one.stale)
        counts = f"{one.cases:>7}{failed:>8}{one.mutants:>9}{len(one.survivors):>11}"
        excused = f"  and {one.excused} with a reason" if one.excused else ""
        yield f"{one.alarm:<34}{counts}{excused}"
    yield from _headed("NOT PROVED", proof.faults)
    yield from _headed("FAILED", map(str, proof.failures))
    yield from _headed("SURVIVED: no case notices", map(str, proof.survivors))
    yield ""
    yield ", ".join(f"{number} {name}" for name, number in proof.document().items())


def backtest_lines(
    today: Mapping[str, Fired], changed: Mapping[str, Fired] | None, what: str
) -> Iterator[str]:
    """A row an alarm that fired, under today's parameters and under changed ones."""
    head = f"{'alarm':<34}{'fired':>7}{'minutes':>9}{'told':>6}"
    yield head + (f"   with {what}: fired, minutes, told" if changed is not None else "")
    quiet = 0
    for alarm, fired in today.items():
        other = changed.get(alarm) if changed is not None else None
        if not fired.spells and not (other and other.spells):
            quiet += 1
            continue
        row = f"{alarm:<34}{len(fired.spells):>7}{fired.seconds // 60:>9}{fired.told:>6}"
        if other is not None:
            row += f"   {len(other.spells)}, {other.seconds // 60}, {other.told}"
        yield row
        yield from _spells("today", fired)
        if other is not None and other.spells != fired.spells:
            yield from _spells("changed", other)
    yield f"{quiet} of {len(today)} alarms did not fire"


def state_lines(states: Sequence[tuple[str, Status]]) -> Iterator[str]:
    """A row an alarm; those in ALARM first."""
    order = ("ALARM", "INSUFFICIENT_DATA", "OK")
    for alarm, status in sorted(states, key=lambda one: (order.index(one[1].state), one[0])):
        since = _moment(status.since) if status.since is not None else "-"
        yield f"{status.state:<18}{alarm:<34}{since}"
        if status.state == "ALARM":
            yield f"{'':<18}{status.reason}"


def _spells(label: str, fired: Fired) -> Iterator[str]:
    for start, end in fired.spells[:MOST_SPELLS]:
        yield f"  {label:<8}{_moment(start)} for {(end - start) // 60} min"
    if len(fired.spells) > MOST_SPELLS:
        yield f"  {label:<8}and {len(fired.spells) - MOST_SPELLS} more: see --json"


def _headed(title: str, lines: Iterable[str]) -> Iterator[str]:
    for n, line in enumerate(lines):
        if n == 0:
            yield ""
            yield title
        yield f"  {line}"


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%F %H:%M} UTC"
