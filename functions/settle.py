"""Each minute: what no worker finished gets an outcome, and reports are closed."""

from collections.abc import Iterable
from typing import Any

from socketwatch import settling
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.settler import SettlerSettings, open_letters, open_settler
from socketwatch.clock import Clock
from socketwatch.errors import LedgerUnavailable, QueueUnavailable
from socketwatch.settings import Api
from socketwatch.settling import Settled, Settler

API = environment.read(Api)
LOG = telemetry.logger("settle")
SETTINGS = environment.read(SettlerSettings)
SETTLER = open_settler(SETTINGS)
LETTERS = open_letters(SETTINGS)


def settle(settler: Settler, letters: Iterable[object], remaining: Clock, settled: Settled) -> None:
    """Dead letters, overdue shards, then reports, as long as there is time.

    What does not answer now waits a minute, as does what there is no time for. Whatever breaks the
    run off, *settled* says what was settled before.
    """
    try:
        settler.dead_letters(letters, remaining, settled)
    except QueueUnavailable as unavailable:
        LOG.error("dead letters unavailable", reason=str(unavailable))
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
    try:
        settler.overdue(remaining, settled)
        settler.close_reports(remaining, settled)
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
    for broadcast_id in settled.closed:
        LOG.info("report closed", broadcast_id=broadcast_id)
    if settled.rest:
        LOG.warning("out of time", unfinished=settled.unfinished, closed=len(settled.closed))


@LOG.inject_lambda_context
def handler(_event: Any, context: Any) -> None:
    """Lambda's entry; what was settled is counted even where the run is broken off."""
    settled = Settled()
    try:
        settle(SETTLER, LETTERS.each(), lambda: environment.remaining(context), settled)
    finally:
        emf.emit(API, settling.measurements(settled))
