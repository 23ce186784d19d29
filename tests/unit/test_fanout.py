from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from socketwatch.broadcasting import Broadcast, Target, parse
from socketwatch.fanout import fan_out
from socketwatch.outcomes import Outcome, of_status
from tests.fakes import NOW, FakePeers


def ask(exclude: list[str] | None = None) -> Broadcast:
    return parse({"to": {"everyone": True}, "data": "hi", "exclude": exclude or []}, "id")


def page(*ids: str) -> list[Target]:
    return [Target(one, "", NOW, "web") for one in ids]


def test_a_gone_peer_does_not_stop_the_others() -> None:
    peers = FakePeers({"bob": Outcome.GONE, "dan": Outcome.FAILED})

    report = fan_out(ask(), [page("ann", "bob"), page("cy", "dan", "eve")], peers.post)

    assert report.outcomes == {Outcome.ACCEPTED: 3, Outcome.GONE: 1, Outcome.FAILED: 1}
    assert sorted(peers.inbox) == ["ann", "cy", "eve"]


def test_a_connection_on_two_pages_gets_one_post() -> None:
    peers = FakePeers()

    report = fan_out(ask(), [page("ann", "ann"), page("ann", "bob")], peers.post)

    assert report.targeted == 2
    assert len(peers.inbox["ann"]) == 1


def test_an_excluded_connection_is_skipped_and_counted() -> None:
    peers = FakePeers()

    report = fan_out(ask(exclude=["ann"]), [page("ann", "bob")], peers.post)

    assert report.frame()["outcomes"]["skipped"] == 1
    assert sorted(peers.inbox) == ["bob"]


def test_an_empty_room_is_a_report_of_nobody() -> None:
    report = fan_out(ask(), [], FakePeers().post)

    assert report.targeted == 0
    assert set(report.frame()["outcomes"].values()) == {0}
    assert report.measurements() == []


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(Outcome)), st.integers(1, 5))
def test_every_target_has_exactly_one_outcome(ends: dict[str, Outcome], size: int) -> None:
    ids = sorted(ends)
    pages = [page(*ids[start : start + size]) for start in range(0, len(ids), size)]

    report = fan_out(ask(), pages, FakePeers(ends).post)

    assert report.outcomes == Counter(ends.values())
    assert sum(report.frame()["outcomes"].values()) == report.targeted == len(ends)


@given(st.integers(0, 999))
def test_only_410_is_gone_and_only_2xx_is_accepted(status: int) -> None:
    outcome = of_status(status)

    assert (outcome is Outcome.GONE) == (status == 410)
    assert (outcome is Outcome.ACCEPTED) == (200 <= status < 300)
