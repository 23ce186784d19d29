"""The delivery objective: how much of its error budget is left, and how fast it burns.

Terms of the Site Reliability Workbook, chapter 5: a burn rate of 1 spends exactly the budget.
"""

DAYS = 30
"""The objective's window."""

BURN_DAYS = 3
"""The window of the slow burn, too long for an alarm of its own."""


def burn_rate(valid: float, bad: float, objective: float) -> float | None:
    """How many times faster than allowed errors happen; None where nothing was valid.

    *objective* is a percentage below 100.
    """
    if valid <= 0:
        return None
    return bad / valid / (1 - objective / 100)


def budget_left(valid: float, bad: float, objective: float) -> float | None:
    """Percent of the error budget that is left, below 0 when overspent; None as above."""
    burnt = burn_rate(valid, bad, objective)
    return None if burnt is None else 100 * (1 - burnt)
