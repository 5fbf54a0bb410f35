"""The environment of a child: a short list of harmless names, and what is given (T-19b)."""

import re
from typing import Any

import pytest

from mcport.transports.environment import POSIX_NAMES, WINDOWS_NAMES, child_environment

OWN = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "LANG": "C.UTF-8",
    "LC_TIME": "de_DE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "LD_PRELOAD": "/lib/evil.so",
    "HTTPS_PROXY": "http://me:password@proxy",
}


def test_only_harmless_names_are_passed_on() -> None:
    assert child_environment(own=OWN, windows=False) == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "LC_TIME": "de_DE",
    }


def test_what_is_missing_is_not_invented() -> None:
    assert child_environment(own={}, windows=False) == {}


def test_what_is_given_comes_on_top() -> None:
    env = child_environment({"PATH": "/opt", "TOKEN": "mine"}, own={"PATH": "/bin", "TERM": "xterm"}, windows=False)
    assert env == {"PATH": "/opt", "TERM": "xterm", "TOKEN": "mine"}


def test_everything_is_inherited_on_demand() -> None:
    env = child_environment({"TOKEN": "mine"}, inherit_env=True, own=OWN, windows=False)
    assert env == {**OWN, "TOKEN": "mine"}


@pytest.mark.parametrize("inherit_env", [True, False])
def test_values_that_old_shells_run_are_dropped(inherit_env: bool) -> None:
    own = {"TERM": "() { :; }; echo hacked", "BASH_FUNC_ls%%": "() { rm; }", "LANG": "C"}
    assert child_environment(inherit_env=inherit_env, own=own, windows=False) == {"LANG": "C"}


def test_a_given_value_is_its_authors_word() -> None:
    assert child_environment({"PATTERN": "()|x"}, own={}, windows=False) == {"PATTERN": "()|x"}


def test_the_own_environment_is_that_of_this_process_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TOKEN", "secret")
    env = child_environment({"LANG": "other"})
    assert env["LANG"] == "other"
    assert "TOKEN" not in env


def test_names_on_windows_match_in_any_case() -> None:
    own = {"Path": r"C:\bin", "SystemRoot": r"C:\Windows", "Token": "secret"}
    env = child_environment({"PATH": r"D:\bin"}, own=own, windows=True)
    assert env == {"PATH": r"D:\bin", "SystemRoot": r"C:\Windows", "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("name", ["PYTHONIOENCODING", "pythonioencoding"])
def test_python_children_on_windows_write_utf8_unless_told_otherwise(name: str) -> None:
    given = child_environment({name: "cp1252"}, own={}, windows=True)
    inherited = child_environment(inherit_env=True, own={name: "cp1252"}, windows=True)
    assert given == inherited == {name: "cp1252"}


def test_names_on_other_systems_keep_their_case() -> None:
    assert child_environment({"path": "x"}, own={"PATH": "/bin"}, windows=False) == {"path": "x", "PATH": "/bin"}


def test_no_listed_name_sounds_like_a_secret() -> None:
    suspicious = re.compile("KEY|TOKEN|SECRET|PASS|AUTH|CRED|PROXY|PRELOAD", re.IGNORECASE)
    assert [name for name in POSIX_NAMES | WINDOWS_NAMES if suspicious.search(name)] == []


@pytest.mark.parametrize(
    ("given", "error", "line"),
    [
        ({"PORT": 80}, TypeError, "env: the value of 'PORT' must be a string, got int"),
        ({"PORT": None}, TypeError, "env: the value of 'PORT' must be a string, got NoneType"),
        ({1: "x"}, TypeError, "env: a variable's name must be a string, got int"),
        ({"": "x"}, ValueError, "env: '' cannot be the name of a variable"),
        ({"A=B": "x"}, ValueError, "env: 'A=B' cannot be the name of a variable"),
        ({"A\0": "x"}, ValueError, "env: 'A\\x00' cannot be the name of a variable"),
        ({"A": "secret\0"}, ValueError, "env: the value of 'A' contains a NUL character"),
        ({"A": "secret\ud800"}, ValueError, "env: 'A' or its value contains a lone surrogate"),
    ],
)
def test_what_no_process_could_get_is_refused_without_telling_the_value(
    given: Any, error: type[Exception], line: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(line)}$"):
        child_environment(given, own={}, windows=False)
