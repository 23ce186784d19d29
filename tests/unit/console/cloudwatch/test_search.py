import pytest

from console.cloudwatch.errors import MathError
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId
from console.cloudwatch.search import search

METRICS = (
    MetricId.of("Mine", "CustomCount1", {"Shop": "Project2-trial333"}),
    MetricId.of("Mine", "SDBFailure", {"Shop": "a", "Region": "b"}),
    MetricId.of("Mine", "Network-Errors-2", {}),
    MetricId.of("Mine", "NetworkErrors2", {}),
    MetricId.of("AWS/Lambda", "Errors", {"FunctionName": "ProjectA-connect"}),
    MetricId.of("AWS/Lambda", "Invocations", {"FunctionName": "ProjectA-connect"}),
    MetricId.of("AWS/Lambda", "Errors", {"FunctionName": "other"}),
    MetricId.of("AWS/Lambda", "Errors", {}),
)


def found(terms: str) -> set[str]:
    store = MemoryStore()
    for metric in METRICS:
        store.put(metric, 0, 1)
    return {
        f"{metric.name} {' '.join(v for _, v in metric.dimensions)}".strip()
        for metric in search(terms, store)
    }


@pytest.mark.parametrize("term", ["count", "Count", "COUNT", "CustomCount", "Count1", "trial"])
def test_a_partial_term_finds_a_token_or_tokens_in_a_row(term: str) -> None:
    assert found(f"{{Mine}} {term}") == {"CustomCount1 Project2-trial333"}


@pytest.mark.parametrize("term", ["couNT", "customcount", "count1", "ustom"])
def test_a_term_that_is_no_token_finds_nothing(term: str) -> None:
    assert found(f"{{Mine}} {term}") == set()


@pytest.mark.parametrize(
    "term", ["network/errors", "network+errors", "network-errors", "Network_Errors"]
)
def test_other_characters_stand_between_tokens(term: str) -> None:
    assert found(term) == {"Network-Errors-2", "NetworkErrors2"}


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ('{Mine} "CustomCount1"', {"CustomCount1 Project2-trial333"}),
        ('{Mine}, "customcount1"', set()),
        ('{Mine} "Custom"', set()),
        ('"Network_Errors_2"', set()),
        ('"Network-Errors-2"', {"Network-Errors-2"}),
        (
            ' {AWS/Lambda,FunctionName} MetricName="Errors" ',
            {"Errors ProjectA-connect", "Errors other"},
        ),
        ('{AWS/Lambda} MetricName="Errors" NOT other', {"Errors ProjectA-connect", "Errors"}),
        (
            "{AWS/Lambda,FunctionName} Errors OR (Invocations AND (ProjectA OR ProjectB))",
            {"Errors ProjectA-connect", "Errors other", "Invocations ProjectA-connect"},
        ),
        ('FunctionName="other" Namespace="AWS/Lambda"', {"Errors other"}),
        ("{Mine,Region,Shop}", {"SDBFailure b a"}),
        ("NOT Namespace=AWS sdb", {"SDBFailure b a"}),
    ],
)
def test_schemas_exact_terms_properties_and_operators(terms: str, names: set[str]) -> None:
    assert found(terms) == names


@pytest.mark.parametrize("terms", ["", "{Mine", "(a", "Name=", "x" * 1025])
def test_what_is_no_search_is_refused(terms: str) -> None:
    with pytest.raises(MathError, match="search"):
        found(terms)
