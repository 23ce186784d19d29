from local.page.lines import LONGEST, Event, event

AT = 1_731_332_736_000
ID = "AbCdEfGhIjKlMn0="


def test_a_closing_tells_who_closed_it_and_with_which_code() -> None:
    line = {
        "level": "INFO",
        "message": "closed",
        "service": "disconnect",
        "correlation_id": ID,
        "closed_by": "client",
        "code": 1000,
    }

    assert event("socketwatch-DisconnectFunction-1X2Y", AT, line) == Event(
        at=AT,
        function="disconnect",
        level="INFO",
        text="closed · by client · code 1000",
        connection=ID,
    )


def test_a_broadcast_tells_the_outcomes_that_occurred() -> None:
    line = {
        "level": "INFO",
        "message": "broadcast",
        "broadcast_id": "01JCF8Z9X4",
        "outcomes": {"accepted": 38, "gone": 1, "failed": 0, "<b>new</b>": 4},
    }

    assert event("broadcast", AT, line).text == "broadcast · accepted 38, gone 1 · id 01JCF8Z9X4"


def test_a_key_that_is_not_known_is_never_shown() -> None:
    line = {
        "message": "frame refused",
        "reason": "not_json",
        "body": "secret",
        "token": "secret",
        "sourceIp": "192.0.2.7",
        "exception": "secret",
        "sequence_numbers": ["secret"],
    }
    shown = event("message", AT, line)

    assert shown.text == "frame refused · not_json"
    assert "secret" not in repr(shown)
    assert "192.0.2.7" not in repr(shown)


def test_markup_stays_the_text_that_it_was() -> None:
    hostile = "<img src=x onerror=alert(1)>"

    assert event("message", AT, {"message": "refused", "reason": hostile}).text == (
        f"refused · {hostile}"
    )


def test_line_breaks_escapes_and_text_that_runs_backwards_become_spaces() -> None:
    shown = event("message", AT, {"message": "a\nb\x1b[31mc\u202ed"})

    assert shown.text == "a b [31mc d"


def test_long_text_is_cut() -> None:
    shown = event("message", AT, {"message": "x" * 100_000, "correlation_id": "y" * 100_000})

    assert shown.text == "x" * LONGEST
    assert shown.connection == "y" * LONGEST


def test_what_is_missing_or_of_another_kind_is_left_out() -> None:
    line = {"message": {"a": 1}, "level": "LOUD", "correlation_id": None, "code": True}

    assert event("message", AT, line) == Event(AT, "message", "", "", "")


def test_without_a_service_the_deployed_name_stands() -> None:
    assert event("Echo-1X2Y", AT, {"message": "echoed", "outcome": "accepted"}) == Event(
        AT, "Echo-1X2Y", "", "echoed · accepted", ""
    )
