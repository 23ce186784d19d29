"""Runbooks say when their alarm was last seen to fire for its fault, and to end."""

import re
from collections.abc import Iterable
from pathlib import Path

from local.gameday.judging import Verdict

RUNBOOKS = Path(__file__).parents[2] / "alarms" / "runbooks"
LINE = re.compile(r"^Proven: .*$", re.MULTILINE)


def write(verdicts: Iterable[Verdict], day: str, folder: Path = RUNBOOKS) -> list[str]:
    """Write the proof into the runbook of every alarm that did as its row says, and in time.

    Args:
        verdicts: What was seen.
        day: The date, ISO 8601.
        folder: Where the runbooks are.

    Returns:
        The names of the alarms whose runbook was changed.
    """
    changed = []
    for verdict in verdicts:
        for alarm in verdict.row.fires:
            path = folder / f"{alarm}.md"
            if alarm in verdict.missed or not path.is_file():
                continue
            said = (
                f"Proven: {day}, {verdict.row.name}: fired after {verdict.fired[alarm]} min, "
                f"over {verdict.cleared[alarm]} min after healing"
            )
            path.write_text(LINE.sub(said, path.read_text()))
            changed.append(alarm)
    return changed
