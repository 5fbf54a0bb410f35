"""What cannot be started is refused with one plain line (P24), and what could never work before anything happens."""

import errno
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcport.errors import ConnectFailed
from mcport.transports.process import Child
from tests.transports.children import program


async def refusal(argv: list[str], **options: Any) -> str:
    with pytest.raises(ConnectFailed) as caught:
        await Child.start(argv, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert line == f"Cannot start server '{caught.value.server}': {caught.value.cause}"
    assert caught.value.phase == "starting"
    return line


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., str]:
    """Writes a file and returns its path."""

    def make(name: str, text: str, mode: int = 0o755) -> str:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    return make


async def test_an_unknown_command_is_not_found_on_path() -> None:
    assert await refusal(["no-such-command"]) == "Cannot start server 'no-such-command': not found on PATH"


async def test_the_program_is_named_where_the_line_holds_more() -> None:
    line = await refusal(["no-such-command", "--port", "1"])
    assert line == "Cannot start server 'no-such-command --port 1': 'no-such-command': not found on PATH"


async def test_a_missing_file_is_named() -> None:
    assert await refusal(["./nope"]) == "Cannot start server './nope': no such file"


async def test_a_directory_is_no_program(tmp_path: Path) -> None:
    assert (await refusal([str(tmp_path)])).endswith(": is a directory")


async def test_a_file_without_permission_is_refused(make: Callable[..., str], tmp_path: Path) -> None:
    assert (await refusal([make("plain.txt", "hello", 0o644)])).endswith(
        ": permission denied (the file is not executable)"
    )
    line = await refusal(["plain.txt"], env={"PATH": str(tmp_path)})
    assert line.endswith(": permission denied (the file on PATH is not executable)")


async def test_a_script_whose_interpreter_is_missing_says_so(make: Callable[..., str]) -> None:
    line = await refusal([make("orphan", "#!/no/such/interpreter\n")])
    assert line.endswith(": the interpreter that its first line names was not found")


async def test_a_file_of_no_known_format_is_no_program(make: Callable[..., str]) -> None:
    assert (await refusal([make("text", "hello\n")])).endswith(": not a program that this system can run")


async def test_a_missing_working_directory_is_named(tmp_path: Path) -> None:
    line = await refusal(program("echoes.py"), cwd=tmp_path / "nope")
    assert line.endswith(f": the working directory '{tmp_path}/nope' does not exist")


async def test_a_working_directory_that_is_a_file_is_named(make: Callable[..., str]) -> None:
    path = make("file", "")
    assert (await refusal(program("echoes.py"), cwd=path)).endswith(
        f": the working directory '{path}' is not a directory"
    )


async def test_a_working_directory_that_cannot_be_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(subprocess, "Popen", deny)
    line = await refusal(program("echoes.py"), cwd=tmp_path)
    assert line.endswith(f": the working directory '{tmp_path}' cannot be entered: permission denied")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EMFILE, "too many open files in this process"),
        (errno.EAGAIN, "too many processes"),
        (errno.ENOTDIR, "not a directory"),
    ],
)
async def test_what_the_system_refuses_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", fail)
    command = program("echoes.py")
    assert (await refusal(command)).endswith(f": '{command[0]}': {words}")


async def test_too_many_arguments_are_told_in_words() -> None:
    line = await refusal([*program("echoes.py"), *["x" * 100_000] * 30])
    assert line.endswith(": the arguments and the environment are too long")
    assert len(line) < 1000


# ---- where programs are looked for


async def test_the_path_of_the_child_is_the_one_that_is_searched(make: Callable[..., str], tmp_path: Path) -> None:
    make("only-here", "#!/bin/sh\n")
    child = await Child.start(["only-here"], env={"PATH": f"/nowhere:{tmp_path}"})
    await child.end()
    assert child.returncode == 0


@pytest.mark.parametrize("path", ["", ".", "./", ":/nowhere", "/nowhere:", "sub/.."])
async def test_the_current_directory_is_never_searched(
    make: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    make("planted", "#!/bin/sh\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    assert (await refusal(["planted"], env={"PATH": path})).endswith(": not found on PATH")
    assert (await refusal(["planted"], env={"PATH": path}, cwd=tmp_path)).endswith(": not found on PATH")


async def test_a_relative_program_is_taken_from_the_working_directory_of_the_child(
    make: Callable[..., str], tmp_path: Path
) -> None:
    make("here", "#!/bin/sh\nexit 6\n")
    child = await Child.start(["./here"], cwd=tmp_path)
    assert await child.wait_exit() == 6
    await child.end()


# ---- what could never work


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ("python server.py", "A server's command is a list of arguments, not one string: ['python', 'server.py']"),
        (b"python", "A server's command is a list of arguments, not one string"),
        (Path("server.py"), "A server's command is a list of arguments, not one string"),
        (["python", 1], "Argument 1 of a server's command must be a string, got int"),
        ([b"python"], "Argument 0 of a server's command must be a string, got bytes"),
        (["python", None], "Argument 1 of a server's command must be a string, got NoneType"),
    ],
)
async def test_a_command_of_the_wrong_type_is_refused(argv: Any, line: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(line)}$"):
        await Child.start(argv)


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "A server's command needs at least the name of a program"),
        ([""], "A server's command needs at least the name of a program"),
        (["python", "a\0b"], "Argument 1 of a server's command contains a NUL character"),
        (["python", "\ud800"], "Argument 1 of a server's command contains a lone surrogate"),
    ],
)
async def test_a_command_that_no_process_could_get_is_refused(argv: list[str], line: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        await Child.start(argv)


async def test_what_is_shown_of_a_command_is_harmless_and_short() -> None:
    line = await refusal(["no-such-command", "\x1b[2J", "two\nlines", "x" * 10_000])
    assert line.startswith("Cannot start server 'no-such-command '\\x1b[2J' 'two\\nlines' xxx")
    assert len(line) < 600
