"""`python -m bench.broadcast`: a table for people, and as the last line the figures as JSON."""

import json
import signal
import sys
from functools import partial

import click

from bench.broadcast.gateway import BURST, RATE
from bench.broadcast.run import RunError, Setting, run
from bench.broadcast.server import GatewayError
from bench.broadcast.verdict import Figures, figures
from socketwatch.broadcasting import MAX_EXPIRES_IN

_MB = 1_000_000
_SAY = partial(click.echo, err=True)


@click.command()
@click.option("--targets", default=1_000_000, show_default=True, type=click.IntRange(1, 10_000_000))
@click.option("--budget", default=RATE, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--reply-ms", default=7, show_default=True, type=click.IntRange(0, 4_000))
@click.option("--aws-ms", default=5, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--json", "only_json", is_flag=True, help="No table, only the line of JSON.")
def main(
    *, targets: int, budget: int, workers: int, reply_ms: int, aws_ms: int, only_json: bool
) -> None:
    """Broadcast to TARGETS peers through a gateway that allows 10,000 posts a second.

    A tenth as many come first, to see what memory depends on. Few targets show mostly how a
    broadcast begins and ends: a worker takes two seconds for a batch, and has no burst to start on.
    """
    setting = Setting(targets, budget, workers, reply_ms / 1_000, aws_ms / 1_000)
    if targets / setting.rate > MAX_EXPIRES_IN:
        raise click.UsageError(f"these would take longer than a broadcast may: {MAX_EXPIRES_IN} s")
    tenth = Setting(max(1, targets // 10), budget, workers, setting.reply, setting.aws)
    try:
        small = figures(tenth, run(tenth, _SAY))
        _SAY(f"a tenth is done; now all {targets}")
        whole = figures(setting, run(setting, _SAY))
    except (RunError, GatewayError) as error:
        _SAY(f"bench.broadcast: {error}")
        sys.exit(2)
    if not only_json:
        _print_table(setting, whole, small)
    click.echo(json.dumps(_jsonable(whole, small)))
    if whole.held.lost or not whole.exact:
        _SAY("bench.broadcast: the report is not what happened")
        sys.exit(1)


def _print_table(setting: Setting, whole: Figures, small: Figures) -> None:
    held = whole.held
    rows = {
        "targeted": f"{whole.targeted:,}",
        **{outcome: f"{number:,}" for outcome, number in whole.outcomes.items()},
        "lost / unreported / sent twice": f"{held.lost} / {held.unreported} / {held.duplicates}",
        "one outcome each, all agree": "yes" if whole.exact else "NO",
        "posts, of them retries": f"{whole.posts:,}, {whole.retries:,}",
        f"429 at the line ({RATE:,}/s, burst {BURST:,})": f"{whole.refused:,}",
        f"budget used, of {setting.budget:,}/s": f"{whole.budget_used:.1%}",
        "seconds until all were reached": f"{whole.seconds:.1f}",
        f"over the ideal of {whole.ideal:.1f}": f"{whole.over_ideal:+.1%}",
        "seconds until all had an outcome": f"{whole.settled:.1f}",
        "peak memory of planner, a tenth": _megabytes(whole.planner_rss, small.planner_rss),
        "peak memory of a worker, a tenth": _megabytes(whole.worker_rss, small.worker_rss),
        "worker's CPU for a post": f"{whole.cpu_us:.0f} us",
        "the stand-in's share of a core": f"{whole.gateway_load:.0%}",
        "invocations of deliver": f"{whole.invocations:,}",
    }
    for name, value in rows.items():
        click.echo(f"{name:40}{value:>20}")


def _megabytes(whole: int, small: int) -> str:
    return f"{whole / _MB:.1f}, {small / _MB:.1f} MB"


def _jsonable(whole: Figures, small: Figures) -> dict[str, float | bool]:
    return {
        "targeted": whole.targeted,
        **whole.outcomes,
        "lost": whole.held.lost,
        "unreported": whole.held.unreported,
        "duplicates": whole.held.duplicates,
        "exact": whole.exact,
        "posts": whole.posts,
        "refused": whole.refused,
        "budget_used": round(whole.budget_used, 4),
        "over_ideal": round(whole.over_ideal, 4),
        "peak_rss_mb": round(_peak(whole) / _MB, 1),
        "peak_rss_mb_of_a_tenth": round(_peak(small) / _MB, 1),
        "seconds": round(whole.seconds, 2),
        "settled_seconds": round(whole.settled, 2),
    }


def _peak(one: Figures) -> int:
    return max(one.planner_rss, one.worker_rss)


if __name__ == "__main__":
    # Ended by either signal, no process of ours stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
