"""The words in which a failure is told, without any conversation."""

import pytest

from mcport import Client
from mcport.client.failures import Failures, Remains, ended, plain


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"),
        (2, "exited with code 2"),
        (-9, "was ended by SIGKILL"),
        (-99, "was ended by signal 99"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert ended(code) == words


def test_an_exception_becomes_one_line() -> None:
    assert plain(ValueError("a\n  b")) == "ValueError: a b"
    assert plain(ValueError()) == "ValueError"
    group = ExceptionGroup("g", [KeyError("k"), ExceptionGroup("h", [OSError("o")])])
    assert plain(group) == "KeyError: 'k' (and 1 more)"


def test_blank_lines_are_no_last_words() -> None:
    remains = Remains(exit_code=1, stderr="really\n\n  \n")
    assert (
        str(Failures("x").died("gone", remains))
        == "Server 'x' exited with code 1 before it answered. Last stderr: really"
    )


def test_p5_every_failure_carries_the_exit_code_and_the_end_of_stderr() -> None:
    remains = Remains(exit_code=3, stderr="one\ntwo\n")
    failures = Failures("x")
    for error in (
        failures.lost("ping", "gone", remains),
        failures.died("gone", remains),
        failures.failed("no", remains),
        failures.silent("initialize", 1, remains),
    ):
        assert (error.exit_code, error.stderr_tail) == (3, "one\ntwo\n")


def test_p4_connecting_takes_thirty_seconds_at_most_if_nothing_is_said() -> None:
    assert (Client.__init__.__kwdefaults__ or {})["connect_timeout"] == 30.0
