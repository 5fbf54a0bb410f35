"""What a client says of answers that are none: wishes of servers in seconds, and headers as people may read them."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.transports.http.client import words
from mcport.transports.http.client.pace import Pace


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 7 ", 7),
        ("9" * 400, words.YEAR),
        ("-5", None),
        ("1.5", None),
        ("1, 2", None),
        ("²", None),
        ("٣", None),
        ("soon", None),
        ("Mon, 23 Nov 1998 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", words.YEAR),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_what_a_server_wishes_is_a_bounded_number_of_seconds(said: str | None, expected: float | None) -> None:
    assert words.seconds_of(said) == expected


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_is_as_many_seconds_as_it_is_away(zone: str) -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(seconds=1000)).replace("+0000", zone)
    assert words.seconds_of(said) == pytest.approx(1000, abs=30)


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,12} [0-9:]{1,9} [+-]?[0-9A-Z]{1,6}")
)
def test_whatever_a_server_says_is_seconds_or_nothing(said: str) -> None:
    seconds = words.seconds_of(said)
    assert seconds is None or 0 <= seconds <= words.YEAR


def test_a_wish_is_kept_to_within_an_hour_and_never_quite_at_once() -> None:
    assert Pace(chance=lambda: 0.0).before(1, 500.0) == 500.0
    assert Pace(chance=lambda: 0.0).before(1, words.YEAR) == 3600.0
    assert Pace(chance=lambda: 1.0).before(1, 500.0) == pytest.approx(550.0)
    assert Pace(chance=lambda: 0.0).before(3, 0.5) == 4.0


@pytest.mark.parametrize("say", [words.of_content, words.of_coding])
def test_what_a_server_wrote_in_a_header_steers_no_terminal(say: object) -> None:
    assert callable(say)
    line = say("\x1b]0;evil\x07" + "x" * 1000)
    assert line.isprintable()
    assert len(line) < 200


def test_an_error_that_lies_beneath_itself_is_named_all_the_same() -> None:
    again, other = ValueError("refused"), RuntimeError()
    again.__cause__, other.__cause__ = other, again
    assert words.of_failure(again) == "refused"
    assert words.of_failure(
        ExceptionGroup("several", [again, ConnectionRefusedError(errno.ECONNREFUSED, "")])
    ).startswith("connection refused")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (httpx.ConnectTimeout(""), "no connection in time"),
        (httpx.PoolTimeout(""), "all connections to it are in use, and none became free"),
        (httpx.WriteTimeout(""), "it did not take the request in time"),
        (httpx.ReadError("it\nbroke"), "it broke"),
    ],
)
def test_a_failure_of_httpx_is_one_plain_line(error: httpx.HTTPError, line: str) -> None:
    assert words.of_failure(error) == line
