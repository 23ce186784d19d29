import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.errors import SettingError
from socketwatch.origins import OriginPolicy, serialised

POLICY = OriginPolicy(frozenset({"https://app.example.com"}), allow_none=False)


def test_the_listed_origin_is_admitted() -> None:
    assert POLICY.admits(["https://app.example.com"])


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://evil.com", id="another site"),
        pytest.param("https://app.example.com.evil.com", id="ours as a prefix"),
        pytest.param("https://evil-app.example.com", id="ours as a suffix"),
        pytest.param("https://app.ex\u0430mple.com", id="a Cyrillic letter"),
        pytest.param("null", id="null, as a sandboxed frame sends"),
        pytest.param("https://app.example.com:8443", id="another port"),
        pytest.param("https://app.example.com:443", id="the default port spelled out"),
        pytest.param("http://app.example.com", id="another scheme"),
        pytest.param("https://APP.example.com", id="another case"),
        pytest.param("https://app.example.com/", id="a path"),
        pytest.param("https://user@app.example.com", id="user info"),
        pytest.param("https://app.example.com, https://evil.com", id="two in one value"),
        pytest.param(" https://app.example.com", id="leading space"),
        pytest.param("", id="empty"),
    ],
)
def test_whatever_differs_from_the_list_is_another_origin(origin: str) -> None:
    assert not POLICY.admits([origin])


def test_two_origins_are_refused_even_if_both_are_listed() -> None:
    assert not POLICY.admits(["https://app.example.com", "https://app.example.com"])


def test_a_handshake_without_origin_goes_by_the_flag() -> None:
    native = OriginPolicy(POLICY.allowed, allow_none=True)

    assert not POLICY.admits([])
    assert native.admits([])
    assert not native.admits(["null"])


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("https://App.Example.com", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_a_configured_origin_is_kept_as_browsers_write_it(configured: str, sent: str) -> None:
    assert serialised(configured) == sent


@given(st.text(max_size=40).map(lambda rest: f"https://{rest}") | st.text(max_size=40))
def test_any_text_is_an_origin_in_final_form_or_a_setting_error(text: str) -> None:
    try:
        once = serialised(text)
    except SettingError as error:
        assert "\n" not in str(error)
    else:
        assert serialised(once) == once


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/chat",
        "https://user@app.example.com",
        "https://app.example.com:65536",
        "https://app.example.com:",
        "https://b\u00fccher.example",
        "http://[::zz]",
        "https://",
    ],
)
def test_what_is_no_origin_stops_the_cold_start_by_its_setting(origin: str) -> None:
    with pytest.raises(SettingError, match=r"^ALLOWED_ORIGINS must list origins"):
        OriginPolicy.from_environment({"ALLOWED_ORIGINS": f"https://app.example.com,{origin}"})


def test_by_default_no_origin_and_no_absence_of_one_is_admitted() -> None:
    policy = OriginPolicy.from_environment({})

    assert policy == OriginPolicy(frozenset(), allow_none=False)
