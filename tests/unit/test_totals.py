"""Totals add up in any order, and what was added can be taken back."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from socketwatch.histogram import buckets
from socketwatch.outcomes import Outcome
from socketwatch.totals import Totals, pack, unpack

few = st.integers(0, 3)
parts = st.dictionaries(st.sampled_from(["web", "ios"]), st.tuples(st.integers(1, 3), few))
histograms = st.lists(few, min_size=len(buckets()), max_size=len(buckets()))

sums = st.builds(
    Totals,
    broadcasts=few,
    incomplete=few,
    targeted=few,
    outcomes=st.builds(Counter, st.dictionaries(st.sampled_from(Outcome), few)),
    reasons=st.builds(Counter, st.dictionaries(st.sampled_from(["http_503", "tls"]), few)),
    latency=histograms,
    confirmed=histograms,
    platforms=parts,
    ages=parts,
    acked=few,
    first_attempt_at=few,
    last_attempt_at=few,
)


def added(*some: Totals) -> Totals:
    whole = Totals()
    for one in some:
        whole.add(one)
    return whole


@given(sums, sums)
def test_what_was_added_can_be_taken_back_but_for_the_time_of_attempts(
    stays: Totals, goes: Totals
) -> None:
    whole = added(stays, goes)
    whole.take_back(goes)

    widened = added(stays, goes)
    times = (widened.first_attempt_at, widened.last_attempt_at)
    assert whole == replace(added(stays), first_attempt_at=times[0], last_attempt_at=times[1])


@given(sums, sums, sums)
def test_the_order_of_adding_does_not_matter(one: Totals, two: Totals, three: Totals) -> None:
    assert added(one, two, three) == added(three, one, two)


@given(sums)
def test_packing_keeps_everything(one: Totals) -> None:
    assert unpack(pack(one)) == one
