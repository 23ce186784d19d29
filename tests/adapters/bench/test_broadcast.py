"""The whole bench, small: real processes, real sockets, our own planner, workers and settler."""

import json

import pytest
from click.testing import CliRunner

from bench.broadcast.__main__ import main
from bench.broadcast.crowd import Fate, fates
from bench.broadcast.run import Ended, Setting, run
from bench.broadcast.verdict import Held, figures

TARGETS = 3_000
SETTING = Setting(TARGETS, budget=4_000, workers=2, reply=0.001, aws=0.0)


@pytest.fixture(scope="module")
def ended() -> Ended:
    return run(SETTING, lambda _line: None)


def test_everybody_has_the_outcome_of_their_fate(ended: Ended) -> None:
    found = figures(SETTING, ended)
    among = fates(TARGETS)

    assert found.exact
    assert found.held == Held(lost=0, unreported=0, duplicates=0)
    assert found.outcomes["accepted"] == among[Fate.FINE] + among[Fate.SHAKY]
    assert found.outcomes["gone"] == among[Fate.GONE]
    assert ended.report["complete"]


def test_workers_stay_within_the_budget(ended: Ended) -> None:
    found = figures(SETTING, ended)

    assert 0 < found.budget_used <= 1.05
    assert found.refused == 0
    assert found.settled >= found.seconds > 0


def test_everyone_gone_becomes_suspect_once(ended: Ended) -> None:
    assert sum(worker.suspects for worker in ended.workers) == fates(TARGETS)[Fate.GONE]


def test_the_command_prints_its_figures_as_the_last_line() -> None:
    ran = CliRunner().invoke(main, ["--targets", "600", "--aws-ms", "0", "--reply-ms", "0"])

    printed = json.loads(ran.stdout.splitlines()[-1])
    assert ran.exit_code == 0, ran.output
    assert printed["targeted"] == 600
    assert printed["lost"] == printed["duplicates"] == 0
    assert printed["exact"]
    assert printed["peak_rss_mb"] > 0


def test_what_no_broadcast_has_time_for_is_refused() -> None:
    ran = CliRunner().invoke(main, ["--targets", "10000", "--budget", "1"])

    assert ran.exit_code == 2
    assert "3600 s" in ran.stderr
