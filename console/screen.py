"""The status as text: one screen of 80 columns, each number with its unit and what good is."""

import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from console.readings import WINDOW, Number
from console.status import Flow, Status, Use
from socketwatch.clock import MINUTE, SECOND
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota

COLUMNS = 80
_LABEL = 28
_VALUE = 10
_NOTE = _LABEL + _VALUE + 2
"""The column at which notes begin."""

_QUOTAS = {
    Quota.CONNECTS_PEAK: "connects, busiest second",
    Quota.CONNECTS_MEAN: "connects, mean of a minute",
    Quota.CALLBACKS: "@connections calls",
    Quota.REQUESTS: "requests, whole account",
}


def screen(status: Status) -> str:
    """The whole text, no line longer than 80 columns."""
    return "\n".join(_lines(status))


def _lines(status: Status) -> Iterator[str]:
    if status.silent_since is not None:
        yield from textwrap.wrap(_silence(status, status.silent_since), COLUMNS)
    stack = status.stack
    at = datetime.fromtimestamp(status.at / SECOND, UTC)
    title = f"{stack.name}: API {stack.api.api_id}, stage {stack.api.stage}, {at:%F %T} UTC"
    yield from textwrap.wrap(title, COLUMNS)
    yield ""
    yield "CONNECTIONS"
    yield from _connections(status)
    yield "DELIVERIES, last 5 minutes"
    yield from _deliveries(status)
    yield f"{'LIMITS, % used':<{_NOTE}}good: under 70"
    yield from _limits(status)
    yield "CARE"
    yield from _care(status)


def _connections(status: Status) -> Iterator[str]:
    if status.connected is None:
        yield from _row("connected", None, _why(status, "no data"))
    else:
        counted = f"counted at {_clock(status.connected.at)} UTC"
        yield from _row("connected", status.connected.value, counted)
    yield from _flow(status, "opened a minute", status.opened, "no sudden leap")
    yield from _flow(status, "closed a minute", status.closed, "near opened")
    if status.closed_by is not None:
        yield from _split("closed in 5 minutes", status.closed_by)
    if status.drift is None:
        yield from _row("drift", None, _why(status, "no data yet: it takes some minutes"))
    else:
        yield from _row("drift", status.drift, "connections in 10 min; good: about 0")


def _deliveries(status: Status) -> Iterator[str]:
    if status.outcomes is None:
        yield from _row("accepted", None, _why(status, "no data yet: no complete minute"))
    else:
        share = status.accepted_percent
        note = "nothing to deliver" if share is None else f"{share} % of all but gone and skipped"
        yield from _row("accepted", status.outcomes[Outcome.ACCEPTED], note)
        rest = {name: n for name, n in status.outcomes.items() if name != Outcome.ACCEPTED}
        yield from _split("other outcomes", rest)
    left = status.error_budget_left
    missing = _why(status, "no data yet: said hourly, of deliveries")
    yield from _row(
        "error budget left", left, missing if left is None else "% of 30 days; good: > 0"
    )


def _limits(status: Status) -> Iterator[str]:
    for quota, label in _QUOTAS.items():
        missing = "no data yet: the census has not said it"
        if quota is Quota.REQUESTS:
            missing = "no data: said where AccountWide is true"
        yield from _use(label, status.quotas[quota], _why(status, missing))
    budget = _why(status, "no data: no ConnectionBudget is set")
    yield from _use("connection budget", status.connection_budget, budget)
    hours = status.hours_to_connect_quota
    note = _why(status, "no data: not projected") if hours is None else "hours; good: over 72"
    yield from _row("connect quota reached in", hours, note)


def _care(status: Status) -> Iterator[str]:
    reap, alarms = status.reap, status.alarms
    if reap is None:
        yield from _row("rows still due", None, "no data yet: the reaper has not run")
    else:
        at = _clock(reap.at)
        ran = f"the reaper ran at {at} UTC; good: few"
        if status.reaper_stands:
            ran = f"STALLED: no run since {at} UTC"
        yield from _row("rows still due", reap.backlog, ran)
        ghosts = "TRIPPED: nothing is closed" if reap.tripped else "% of a sample; good: under 2"
        yield from _row("ghosts", reap.ghost_percent, ghosts)
    if alarms is None:
        yield from _row("alarms firing", None, "none are deployed")
    else:
        rest = f"{alarms.ok} ok, {alarms.without_data} without data"
        firing = f"{', '.join(alarms.firing)}; " if alarms.firing else ""
        yield from _row("alarms firing", len(alarms.firing), firing + rest)


def _silence(status: Status, since: int) -> str:
    warning = "What follows is old or missing."
    if status.heard_at is None and since <= status.at - WINDOW:
        return f"THE CENSUS IS SILENT: not heard for {WINDOW // MINUTE} minutes. {warning}"
    minutes = (status.at - since) // MINUTE
    return f"THE CENSUS IS SILENT since {_clock(since)} UTC, {minutes} minutes. {warning}"


def _why(status: Status, otherwise: str) -> str:
    """Why a number is missing: the census itself, or else the number's own reason."""
    if status.silent_since is not None:
        return "no data: the census is silent"
    return "no data yet: no census so far" if status.heard_at is None else otherwise


def _flow(status: Status, label: str, flow: Flow, good: str) -> Iterator[str]:
    if flow.mean is None:
        yield from _row(label, None, _why(status, "no data yet: no complete minute"))
    else:
        yield from _row(label, flow.last, f"mean {flow.mean:,}; good: {good}")


def _use(label: str, use: Use | None, missing: str) -> Iterator[str]:
    if use is None:
        yield from _row(label, None, missing)
    else:
        yield from _row(label, use.use, f"{use.headroom:,} left")


def _split(label: str, counts: Mapping[str, Number]) -> Iterator[str]:
    found = [f"{name} {count:,}" for name, count in counts.items() if count]
    yield from _row(label, sum(counts.values()), ", ".join(found))


def _row(label: str, value: Number | None, note: str) -> Iterator[str]:
    """A label, a number or a dash, and a note that goes on below itself."""
    shown = "-" if value is None else f"{value:,}"
    head = f"  {label:<{_LABEL - 2}}{shown:>{_VALUE}}  "
    yield from textwrap.wrap(head + note, COLUMNS, subsequent_indent=" " * _NOTE)


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / SECOND, UTC):%H:%M}"
