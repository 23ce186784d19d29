"""Each minute: what no worker finished gets an outcome, and reports are closed."""

from collections.abc import Iterable
from typing import Any

from socketwatch import settling
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.settler import SettlerSettings, open_letters, open_settler
from socketwatch.errors import LedgerUnavailable, QueueUnavailable
from socketwatch.settings import Api
from socketwatch.settling import Settled, Settler

API = environment.read(Api)
LOG = telemetry.logger("settle")
SETTINGS = environment.read(SettlerSettings)
SETTLER = open_settler(SETTINGS)
LETTERS = open_letters(SETTINGS)


def settle(settler: Settler, letters: Iterable[object]) -> Settled:
    """Dead letters, overdue shards, then reports. What does not answer now waits a minute."""
    settled = Settled()
    try:
        for body in letters:
            settler.dead_letter(body, settled)
    except QueueUnavailable as unavailable:
        LOG.error("dead letters unavailable", reason=str(unavailable))
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
    try:
        settler.overdue(settled)
        settler.close_reports(settled)
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
    for broadcast_id in settled.closed:
        LOG.info("report closed", broadcast_id=broadcast_id)
    return settled


@LOG.inject_lambda_context
def handler(_event: Any, _context: Any) -> None:
    """Lambda's entry."""
    emf.emit(API, settling.measurements(settle(SETTLER, LETTERS.each())))
