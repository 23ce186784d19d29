import pytest

from census import census
from socketwatch import metrics
from socketwatch.errors import RegistryUnavailable


def test_the_gauge_is_what_the_registry_counts() -> None:
    measured = census(lambda: 42)

    assert measured == [
        metrics.count(metrics.OPEN_CONNECTIONS, 42),
        metrics.count(metrics.HEARTBEAT),
    ]


def test_a_registry_that_does_not_answer_yields_no_number_and_no_heartbeat() -> None:
    def down() -> int:
        raise RegistryUnavailable("down")

    with pytest.raises(RegistryUnavailable):
        census(down)
