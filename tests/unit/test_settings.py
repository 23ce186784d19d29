import os
import subprocess
import sys
from pathlib import Path

import pytest

from socketwatch import settings
from socketwatch.errors import SettingError

FUNCTIONS = Path(__file__).parents[2] / "functions"


def test_a_setting_is_read_without_surrounding_space() -> None:
    assert settings.text({"NAME": " value "}, "NAME") == "value"


@pytest.mark.parametrize("environment", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_a_missing_setting_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"^NAME is not set$"):
        settings.text(environment, "NAME")


@pytest.mark.parametrize("value", ["0", "257", "-1", "1.5", "many", "9" * 5000, "١٦"])
def test_a_number_out_of_its_range_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingError, match=r"^AGE_SHARDS must be a whole number from 1 to 256"):
        settings.whole({"AGE_SHARDS": value}, "AGE_SHARDS", 16, low=1, high=256)


def test_a_flag_is_true_or_false() -> None:
    assert settings.flag({"F": "True"}, "F", default=False)
    assert not settings.flag({}, "F", default=False)
    with pytest.raises(SettingError, match=r"^F must be true or false"):
        settings.flag({"F": "yes"}, "F", default=False)


@pytest.mark.parametrize(
    "value",
    [
        "wss://abc123.execute-api.us-east-1.amazonaws.com/live",
        "http://abc123.execute-api.us-east-1.amazonaws.com/live",
        "https://",
        "https://host/live?x=1",
        "https://[bad/live",
        "live",
    ],
)
def test_an_endpoint_that_is_no_https_url_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match=r"^MANAGEMENT_ENDPOINT must be an https:// URL"):
        settings.url({"MANAGEMENT_ENDPOINT": value}, "MANAGEMENT_ENDPOINT")


def test_an_endpoint_loses_its_trailing_slash() -> None:
    environment = {"E": "https://api.example.com/live/", "L": "http://127.0.0.1:8080/live"}

    assert settings.url(environment, "E") == "https://api.example.com/live"
    assert settings.url(environment, "L") == "http://127.0.0.1:8080/live"


@pytest.mark.parametrize(
    ("module", "name", "value", "complaint"),
    [
        ("connect", "REGISTRY_TABLE", None, "is not set"),
        ("census", "REGISTRY_TABLE", "", "is not set"),
        ("observe", "STAGE", None, "is not set"),
        ("observe", "API_ID", " ", "is not set"),
        ("echo", "MANAGEMENT_ENDPOINT", None, "is not set"),
        (
            "echo",
            "MANAGEMENT_ENDPOINT",
            "wss://ws.example.com/live",
            "must be an https:// URL, not 'wss://ws.example.com/live'",
        ),
        ("census", "AGE_SHARDS", "many", "must be a whole number from 1 to 256, not 'many'"),
        ("census", "DELIVERY_OBJECTIVE", "100", "must be from 95 to 99.95, not '100'"),
    ],
)
def test_a_cold_start_with_a_bad_setting_ends_in_one_line_that_names_it(
    module: str, name: str, value: str | None, complaint: str
) -> None:
    environment = {key: found for key, found in os.environ.items() if key != name}
    environment |= {} if value is None else {name: value}

    started = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", f"import {module}"],
        cwd=FUNCTIONS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 1
    assert started.stderr == f"socketwatch: {name} {complaint}\n"
