"""`mcport run`: which server it finds, and what it says where it finds none."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mcport.cli import loading
from mcport.version import __version__
from tests.cli.commands import MCPORT, Done, Here, environment, run

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.py"
    path.write_text(
        "import beside\nfrom mcport import Server\n"
        "first = Server('First')\nsecond = Server('Second')\nother = 7\n"
        "if __name__ == '__main__':\n    raise SystemExit('never')\n"
    )
    (tmp_path / "beside.py").write_text("")
    return path


def served(*arguments: str | Path, cwd: Path | None = None) -> str:
    """The name of the server that the command serves."""
    done = run("run", *arguments, stdin=INITIALIZE + "\n", cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    name: str = json.loads(line)["result"]["serverInfo"]["name"]
    return name


def one_line(done: Done, code: int) -> str:
    """The one line that a person reads after a mistake."""
    assert (done.returncode, done.stdout) == (code, "")
    [line] = done.stderr.splitlines()
    return line


def test_a_name_after_the_colon_picks_the_server(file: Path) -> None:
    assert served(f"{file}:second") == "Second"
    assert served("desk.py:first", cwd=file.parent) == "First"


def test_without_a_name_the_only_server_or_the_one_with_a_usual_name_is_served(tmp_path: Path) -> None:
    only = tmp_path / "only.py"
    only.write_text("from mcport import Server\nthing = Server('Only')\nsame = thing\n")
    usual = tmp_path / "usual.py"
    usual.write_text("from mcport import Server\na = Server('A')\nmcp = Server('Usual')\n")
    assert (served(only), served(usual)) == ("Only", "Usual")


def test_a_file_may_be_called_as_a_module_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text("from mcport import Server\nserver = Server('Shadow')\n")
    assert served(path) == "Shadow"


def test_an_example_is_served_by_its_name() -> None:
    assert served("example:quickstart") == "quickstart"


def test_nothing_but_messages_is_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "chatty.py"
    path.write_text("from mcport import Server\nprint('loading')\nserver = Server('Chatty')\n")
    done = run("run", path, stdin=INITIALIZE + "\n")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines() if line != "loading"] == [1]


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("x = 1\n", "", "{file} has no Server at its top level"),
        ("from mcport import Server\nx = Server('X')\n", ":y", "{file} has no server named 'y'; it has x"),
        ("y = 1\n", ":y", "{file} has no server named 'y'; it has none"),
        (
            "from mcport import Server\na = Server('A')\nb = Server('B')\n",
            "",
            "{file} has several servers: name one of a, b after a colon",
        ),
    ],
)
def test_a_file_without_the_server_is_told_in_one_line(
    here: Here, tmp_path: Path, text: str, name: str, line: str
) -> None:
    path = tmp_path / "desk.py"
    path.write_text(text)
    assert one_line(here("run", f"{path}{name}"), 2) == f"mcport: {line.format(file=path)}"


@pytest.mark.parametrize("where", ["nope.py", "nope.py:server", "C:\\servers\\nope.py"])
def test_a_file_that_is_not_there_is_told_in_one_line(here: Here, where: str) -> None:
    name = where.removesuffix(":server")
    assert one_line(here("run", where), 2) == f"mcport: no such file: {name}"


def test_a_file_that_is_no_python_is_told_in_one_line(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "server.txt"
    path.write_text("hello")
    assert one_line(here("run", path), 2) == f"mcport: {path} is not a Python file"


def test_an_example_that_is_a_program_is_run_with_its_arguments(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "host.py"
    program.write_text("import sys\nif __name__ == '__main__':\n    print(sys.argv[1:])\n")
    monkeypatch.setattr(loading, "_example_files", lambda: {"host": program})
    monkeypatch.setattr(sys, "argv", sys.argv)
    done = here("run", "example:host", "--fast", "x")
    assert (done.returncode, done.stdout, done.stderr) == (0, "['--fast', 'x']\n", "")


def test_a_server_takes_no_further_words(here: Here) -> None:
    assert one_line(here("run", "example:quickstart", "x"), 2).startswith("mcport: too many words: 'x'")


def test_an_example_that_is_not_there_is_told_with_those_that_are(here: Here) -> None:
    line = one_line(here("run", "example:nope"), 2)
    assert line.startswith("mcport: no example 'nope'; there are: ")
    assert "quickstart" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module_anywhere\n", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("x = 1\nraise ValueError('two\\nlines')\n", "ValueError: two lines"),
        ("def broken(:\n", "SyntaxError: invalid syntax"),
    ],
)
def test_a_file_that_fails_is_told_with_what_and_where(here: Here, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "desk.py"
    path.write_text(text)
    line = text.count("\n")
    assert one_line(here("run", path), 1) == f"mcport: {path} cannot be loaded: {said} ({path}, line {line})"


@pytest.mark.parametrize("arguments", [[], ["nope"], ["run"], ["demo", "--nope"]])
def test_a_wrong_command_line_ends_with_two_and_the_usage(here: Here, arguments: list[str]) -> None:
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: mcport")
    assert "Traceback" not in done.stderr


def test_p17_the_version_is_told_without_loading_anything_heavy() -> None:
    script = (
        "import sys\nfrom mcport.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print([name for name in ('anyio', 'pydantic', 'asyncio', 'httpx') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), timeout=30)
    assert done.stdout.splitlines() == [f"mcport {__version__}", "[]"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_p7_one_interrupt_ends_a_server_without_a_traceback(file: Path) -> None:
    process = subprocess.Popen(
        [*MCPORT, "run", f"{file}:first"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(PING)
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")
