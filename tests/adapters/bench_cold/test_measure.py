import pytest

from bench.cold import measure as measuring
from bench.cold.measure import BARE, OURS, USUAL, ContenderError, Figures, measure


def test_each_contender_answers_one_handshake_after_one_call() -> None:
    found = measure(1)

    assert found.ms[BARE] < found.ms[OURS]
    assert found.ms[BARE] < found.ms[USUAL]


def test_one_that_does_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_table(port: int) -> dict[str, str]:
        return {**right(port), "REGISTRY_TABLE": ""}

    right = measuring.environment
    monkeypatch.setattr(measuring, "environment", without_table)

    with pytest.raises(ContenderError, match="ours ended with 1 after 0 calls"):
        measure(1)


def test_the_ratio_leaves_out_what_python_itself_costs() -> None:
    assert Figures({OURS: 300.0, USUAL: 900.0, BARE: 100.0}).ratio == 0.25
