"""CPU time of handlers on the same batches, after a look at whether they count the same."""

import gc
import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median

from bench.observe.contenders import Context, Handler
from bench.observe.records import EXPECTED, KINDS, batch
from socketwatch.clock import Clock

PER_ROUND = 4_000
"""Records a contender is given in one round, whatever the size of a batch."""


class WrongCountError(Exception):
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


def measure(
    handlers: Mapping[str, Handler], size: int, rounds: int, first: int, clock: Clock
) -> Figures:
    """The medians over all rounds. Batches are numbered from *first*: a handler may know replays.

    What handlers print goes to /dev/null.
    """
    handling: dict[str, list[float]] = {name: [] for name in handlers}
    loading: list[float] = []
    each = PER_ROUND // size
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for begin in range(first, first + rounds * each, each):
            texts = [batch(number, size, clock()) for number in range(begin, begin + each)]
            for name, handler in handlers.items():
                loads, handled = _run(handler, texts)
                loading.append(loads / (each * size))
                handling[name].append(handled / (each * size))
    return Figures(
        {name: _ms_per_thousand(seconds) for name, seconds in handling.items()},
        _ms_per_thousand(loading),
    )


def _run(handler: Handler, texts: Sequence[bytes]) -> tuple[float, float]:
    """Seconds of CPU for reading the events, and for handling them."""
    gc.collect()
    loads = handled = 0.0
    context = Context()
    for text in texts:
        began = time.process_time()
        event = json.loads(text)
        read = time.process_time()
        handler(event, context)
        handled += time.process_time() - read
        loads += read - began
    return loads, handled


def _ms_per_thousand(seconds: Sequence[float]) -> float:
    return median(seconds) * 1_000 * 1_000
