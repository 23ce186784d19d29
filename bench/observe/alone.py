"""`python -m bench.observe.alone NAME`: one contender in a process of its own, as in Lambda.

Reads a round of events, one a line and an empty line at its end; answers with one JSON line, the
CPU seconds that reading and handling them took; and so on until its input ends.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import BinaryIO

from bench.observe.contenders import Context, Handler, contenders


def main() -> None:
    """Serve rounds; what the handler prints goes to /dev/null."""
    handler = contenders()[sys.argv[1]]
    answers = sys.stdout
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for events in _rounds(sys.stdin.buffer):
            loading, handling = run(handler, events)
            print(json.dumps({"loading": loading, "handling": handling}), file=answers, flush=True)


def run(handler: Handler, events: Sequence[bytes]) -> tuple[float, float]:
    """Seconds of CPU for json.loads of the events, and for handling them."""
    gc.collect()
    loading = handling = 0.0
    context = Context()
    for text in events:
        began = time.process_time()
        event = json.loads(text)
        read = time.process_time()
        handler(event, context)
        handling += time.process_time() - read
        loading += read - began
    return loading, handling


def _rounds(lines: BinaryIO) -> Iterator[list[bytes]]:
    events: list[bytes] = []
    for line in lines:
        if line.strip():
            events.append(line)
        else:
            yield events
            events = []


if __name__ == "__main__":
    main()
