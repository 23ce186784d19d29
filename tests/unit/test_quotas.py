from hypothesis import given
from hypothesis import strategies as st

from socketwatch.quotas import Quota, Quotas, defaults, use


def test_a_new_account_has_what_its_region_grants() -> None:
    assert defaults("us-east-1") == Quotas(500, 10_000)
    assert defaults("eu-south-1") == Quotas(500, 2_500)


def test_use_is_percent_of_what_a_second_allows() -> None:
    rates = {
        Quota.CONNECTS_PEAK: 450,
        Quota.CONNECTS_MEAN: 100,
        Quota.CALLBACKS: 500,
        Quota.REQUESTS: 7_500,
    }

    assert use(rates, Quotas(500, 10_000)) == {
        Quota.CONNECTS_PEAK: 90,
        Quota.CONNECTS_MEAN: 20,
        Quota.CALLBACKS: 5,
        Quota.REQUESTS: 75,
    }


@given(st.sets(st.sampled_from(Quota)))
def test_of_a_rate_that_is_not_known_nothing_is_said(known: set[Quota]) -> None:
    assert use(dict.fromkeys(known, 1.0), Quotas(500, 10_000)).keys() == known
