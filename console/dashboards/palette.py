"""The colours of the dashboards: each means one thing, on every page.

Okabe and Ito's palette, which people with any of the common colour blindnesses can tell apart,
darkened where its yellow would vanish on white; greys for what is nobody's fault. No meaning hangs
on colour alone: a line that is a limit has a shape and a word in its label besides.
"""

from enum import StrEnum

GREEN = "#009e73"
BLUE = "#0072b2"
SKY = "#56b4e9"
ORANGE = "#e69f00"
VERMILION = "#d55e00"
PURPLE = "#cc79a7"
OLIVE = "#a6970a"
BROWN = "#8c510a"
BLACK = "#4d4d4d"
GREY = "#8f8f8f"
PALE = "#bdbdbd"
RED = "#b2182b"
AMBER = "#b36b00"

BY_VALUE = {
    # how a delivery ended
    "accepted": GREEN,
    "gone": GREY,
    "throttled": ORANGE,
    "slow_client": SKY,
    "too_large": PURPLE,
    "forbidden": BROWN,
    "failed": VERMILION,
    "expired": OLIVE,
    "unknown": BLACK,
    "skipped": PALE,
    # who or what ended a connection, where not said above
    "client": GREEN,
    "idle": SKY,
    "age": BLUE,
    "token": PURPLE,
    "server": BROWN,
    "lost": ORANGE,
    "reaped": VERMILION,
    # what a probe found
    "alive": GREEN,
    "not_found": PURPLE,
    "server_error": VERMILION,
    "no_answer": OLIVE,
    "unintelligible": BLACK,
    # why the reaper kept what it would have closed
    "held": VERMILION,
    "doubt": OLIVE,
    # what is known of an open connection
    "heard": GREEN,
    "silent": SKY,
    "suspect": ORANGE,
    # how near a quota is
    "connects_peak": VERMILION,
    "connects_mean": BLUE,
    "callbacks": GREEN,
    "requests": PURPLE,
}
"""By the value of the metric's own dimension. The same word has the same colour everywhere."""

SERIES = frozenset({GREEN, BLUE, SKY, ORANGE, VERMILION, PURPLE, OLIVE, BROWN, BLACK, GREY, PALE})
"""What every other series chooses from."""


class Mark(StrEnum):
    """What a horizontal line is, as its label begins."""

    PAGE = "▲ page"
    TICKET = "● ticket"
    LIMIT = "■ limit"
    GOAL = "◆ goal"


BY_MARK = {Mark.PAGE: RED, Mark.TICKET: AMBER, Mark.LIMIT: BLACK, Mark.GOAL: GREEN}
"""Red and amber are of alarms alone."""


def mark_of(label: str) -> Mark | None:
    """What the line is whose label this is; None for any other label."""
    return next((mark for mark in Mark if label.startswith(f"{mark}: ")), None)


def alarm_of(label: str) -> str:
    """The alarm that a page's or ticket's line is of: the label's first word after the mark."""
    return label.partition(": ")[2].partition(" ")[0]
