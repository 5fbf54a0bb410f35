"""What Windows would make of a command, as far as it can be said anywhere: names, extensions, batch files (T-19)."""

import pytest

from mcport.transports.command import is_batch_file, unsafe_for_batch, windows_spellings


def test_a_name_without_extension_stands_for_programs_only() -> None:
    """Node installs a shell script `npx` beside `npx.cmd`."""
    assert windows_spellings(r"C:\node\npx", ".EXE;.CMD") == [r"C:\node\npx.exe", r"C:\node\npx.cmd"]


def test_a_name_with_an_extension_that_can_be_run_is_tried_as_it_stands_first() -> None:
    assert windows_spellings("server.Exe", ".EXE;;.CMD") == ["server.Exe", "server.Exe.exe", "server.Exe.cmd"]
    assert windows_spellings("server.py", ".EXE") == ["server.py.exe"]


@pytest.mark.parametrize("path", ["x.bat", "X.CMD", "npx.cmd.", "npx.cmd. .", "npx.bat "])
def test_batch_files_are_recognised_in_every_disguise(path: str) -> None:
    assert is_batch_file(path)


@pytest.mark.parametrize("path", ["x.exe", "cmd", "x.cmd.exe", "batch/x.py"])
def test_other_files_are_no_batch_files(path: str) -> None:
    assert not is_batch_file(path)


@pytest.mark.parametrize("character", list('"%!&|<>^\r\n'))
def test_characters_that_act_in_batch_files_are_unsafe_quoted_or_not(character: str) -> None:
    for argument in (f"a{character}b", f"a {character} b"):
        assert unsafe_for_batch(["fine", argument, "fine"]) == argument


def test_parentheses_are_safe_in_quotes_only() -> None:
    assert unsafe_for_batch([r"C:\Program Files (x86)\server"]) is None
    assert unsafe_for_batch(["echo)"]) == "echo)"


def test_ordinary_arguments_are_safe() -> None:
    ordinary = ["-y", "@scope/server@1.2.3", "--dir=C:\\data", "ä", "", "a b", "~", "*", "'", "$x"]
    assert unsafe_for_batch(ordinary) is None
