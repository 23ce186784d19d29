"""CPU time of handlers on the same batches, after a look at whether they count the same."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from statistics import median
from subprocess import PIPE, Popen

from bench.observe.contenders import NAMES, Context, Handler
from bench.observe.records import EXPECTED, KINDS, batch
from socketwatch.clock import Clock

PER_ROUND = 4_000
"""Records a contender is given in one round, whatever the size of a batch."""


class ContenderError(Exception):
    """A contender cannot be measured."""


class WrongCountError(ContenderError):
    """A contender did not count what the batch holds."""


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU milliseconds per 1,000 records: each handler's own, and json.loads of the event."""

    handling: Mapping[str, float]
    json_loads: float


def check(name: str, handler: Handler, text: bytes, size: int) -> None:
    """Let the handler count a batch, and hold what it printed against what is in there.

    Raises:
        WrongCountError: a figure that all contenders count is not what it must be.
    """
    printed = StringIO()
    with redirect_stdout(printed):
        handler(json.loads(text), Context())
    counted: Counter[str] = Counter()
    for line in printed.getvalue().splitlines():
        blob = json.loads(line)
        for metric in EXPECTED.keys() & blob.keys():
            counted[metric] += sum(blob[metric])
    expected = {metric: each * size // KINDS for metric, each in EXPECTED.items()}
    if counted != expected:
        raise WrongCountError(f"{name} counted {dict(counted)}, not {expected}")


def measure(size: int, rounds: int, first: int, clock: Clock) -> Figures:
    """The medians over all rounds, in each of which every contender has the same events.

    Batches are numbered from *first*: a handler may know replays.
    """
    each = PER_ROUND // size
    handling: dict[str, list[float]] = {name: [] for name in NAMES}
    loading: list[float] = []
    with ExitStack() as stack:
        alone = {name: stack.enter_context(_alone(name)) for name in NAMES}
        for begin in range(first, first + (1 + rounds) * each, each):
            events = [batch(number, size, clock()) for number in range(begin, begin + each)]
            for name, process in alone.items():
                seconds = ask(process, events)
                if begin > first:  # the round before is for warming up
                    loading.append(seconds["loading"] / (each * size))
                    handling[name].append(seconds["handling"] / (each * size))
    return Figures(
        {name: _ms_per_thousand(seconds) for name, seconds in handling.items()},
        _ms_per_thousand(loading),
    )


@contextmanager
def _alone(name: str) -> Iterator[Popen[bytes]]:
    """A contender in a process of its own: a function shares its memory with no other."""
    command = [sys.executable, "-m", "bench.observe.alone", name]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with Popen(command, env=env, stdin=PIPE, stdout=PIPE) as process:  # noqa: S603 - our own module
        yield process
        # Its input ends with the block, and so does it.


def ask(process: Popen[bytes], events: Sequence[bytes]) -> dict[str, float]:
    """The seconds that a round took there.

    Raises:
        ContenderError: the process has ended.
    """
    if process.stdin is None or process.stdout is None:
        raise ContenderError("a contender has no pipes")
    try:
        process.stdin.write(b"\n".join([*events, b"\n"]))
        process.stdin.flush()
    except BrokenPipeError as error:
        raise ContenderError("a contender ended before its round") from error
    answer = process.stdout.readline()
    if not answer:
        raise ContenderError("a contender ended in its round")
    seconds: dict[str, float] = json.loads(answer)
    return seconds


def _ms_per_thousand(seconds: Sequence[float]) -> float:
    return median(seconds) * 1_000 * 1_000
