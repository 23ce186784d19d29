"""When a limit will be reached, by the peaks of whole days.

Use has the rhythm of a day: a line through every hour follows the morning up and the night down.
So a trend is one of the days' peaks, and a limit is reached at an hour at which a day is high.
"""

from math import ceil, sqrt

from socketwatch.series import DAY_SECONDS, HOUR_SECONDS, Series

MIN_DAYS = 3
"""Whole days below which nothing is forecast: two have a line through them whatever happened."""

MIN_RISE = 0.1
"""What the line must rise by from the first day to the last, in the unit of the peaks."""

FORECAST_LIMIT = 24 * 30
"""Hours beyond which a limit counts as not projected to be reached."""

_T = {1: 63.66, 2: 9.92, 3: 5.84, 4: 4.60, 5: 4.03}
"""Student's t that scatter alone exceeds once in two hundred times, by degrees of freedom; beyond
five that of five. Working days after a weekend stay below it, and so does one high day."""

Days = dict[int, Series]
"""The hours of each whole day, by how many days it lies back."""


def hours_to(limit: float, hourly: Series, now: int) -> float | None:
    """Hours from *now* (epoch seconds) until a day's peak, as the days' peaks grow, is at *limit*.

    Days are the 24 hours up to the last full hour, those before them, and so on; one with an hour
    missing is left out. It is 0 where the newest peak, or the line, is there already. None, for
    "not projected", where there are fewer than `MIN_DAYS` days; where a line through their peaks
    rises by less than `MIN_RISE`, or not by so many of its standard errors that scatter would do so
    only once in two hundred times; or where the limit is reached only beyond `FORECAST_LIMIT`.

    The hour is that at which the newest day, raised by the line's growth, is at the limit first.
    """
    end = now - now % HOUR_SECONDS
    days = _whole_days(hourly, end)
    if len(days) < MIN_DAYS:
        return None
    peaks = {-back: max(day.values()) for back, day in days.items()}
    growth, level = _line(peaks)
    if not _rises(peaks, growth, level):
        return None
    newest = min(days)
    at_newest = level - growth * newest
    if max(at_newest, peaks[-newest]) >= limit:
        return 0.0
    above = at_newest - peaks[-newest]
    reached = min(
        at + DAY_SECONDS * max(newest + 1, _days_until((limit - use - above) / growth))
        for at, use in days[newest].items()
    )
    hours = max(0.0, (reached - now) / HOUR_SECONDS)
    return hours if hours <= FORECAST_LIMIT else None


def _whole_days(hourly: Series, end: int) -> Days:
    days: dict[int, dict[int, float]] = {}
    for at, use in hourly.items():
        if at < end:
            days.setdefault((end - 1 - at) // DAY_SECONDS, {})[at] = use
    return {back: day for back, day in days.items() if len(day) == 24}


def _line(peaks: dict[int, float]) -> tuple[float, float]:
    """The line of least squares: its growth a day, and its level on day 0, today's."""
    middle, mean = sum(peaks) / len(peaks), sum(peaks.values()) / len(peaks)
    growth = sum((day - middle) * (peak - mean) for day, peak in peaks.items()) / _spread(peaks)
    return growth, mean - growth * middle


def _rises(peaks: dict[int, float], growth: float, level: float) -> bool:
    """Whether that is growth, and neither rounding nor what scatter explains."""
    free = len(peaks) - 2
    scatter = sum((peak - level - growth * day) ** 2 for day, peak in peaks.items()) / free
    error = sqrt(scatter / _spread(peaks))
    return growth * (max(peaks) - min(peaks)) >= MIN_RISE and growth > _T[min(free, 5)] * error


def _spread(peaks: dict[int, float]) -> float:
    middle = sum(peaks) / len(peaks)
    return sum((day - middle) ** 2 for day in peaks)


def _days_until(days: float) -> int:
    """Whole days, rounded up, but for what is lost in reckoning."""
    return ceil(round(days, 6))
