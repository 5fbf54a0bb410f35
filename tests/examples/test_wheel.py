"""The wheel is complete: installed into an empty environment, `mcport demo` holds its conversation and examples run.

Builds and installs for real, and so asks the package registry for the dependencies.
"""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.environment import ROOT, create, pip, script_of

EXAMPLES = ["everything", "host", "notes", "quickstart"]
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that is empty but for pip."""
    directory = tmp_path_factory.mktemp("wheel") / "environment"
    create(directory)
    return directory


@pytest.fixture(scope="module")
def wheel(environment: Path) -> Path:
    """The wheel, built from this checkout."""
    directory = environment.parent / "dist"
    pip(environment, "wheel", "--no-deps", "--wheel-dir", str(directory), str(ROOT))
    [built] = directory.glob("mcport-*.whl")
    return built


@pytest.fixture(scope="module")
def mcport(environment: Path, wheel: Path) -> Path:
    """The `mcport` command of an environment into which the wheel was installed."""
    pip(environment, "install", str(wheel))
    return script_of(environment, "mcport")


def run(command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command away from the checkout, with no terminal anywhere."""
    place, nothing = command.parents[2], subprocess.DEVNULL
    return subprocess.run(
        [str(command), *arguments], cwd=place, stdin=nothing, capture_output=True, text=True, timeout=60
    )


def test_the_wheel_holds_the_library_and_its_examples_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"mcport/__init__.py", "mcport/py.typed", *(f"mcport/examples/{name}.py" for name in EXAMPLES)} <= {*names}
    assert [name for name in names if not name.startswith(("mcport/", "mcport-"))] == []
    assert [name for name in names if "__pycache__" in name] == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_demo_of_the_installed_wheel_shows_a_whole_conversation(mcport: Path, revision: str) -> None:
    done = run(mcport, "demo", "--wire", "--revision", revision)
    assert (done.returncode, done.stderr) == (0, "")
    opening = "server/discover" if revision == REVISIONS[-1] else "initialize"
    shown = [name for name in (opening, "tools/list", "tools/call", "resources/read", revision) if name in done.stdout]
    assert shown == [opening, "tools/list", "tools/call", "resources/read", revision]


def test_the_demo_in_a_pipe_is_plain_text(mcport: Path) -> None:
    done = run(mcport, "demo")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5
    assert "\x1b" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_examples_of_the_installed_wheel_are_listed(mcport: Path) -> None:
    done = run(mcport, "examples")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.split("\n\n")[0].splitlines()] == EXAMPLES


@pytest.mark.parametrize(
    ("example", "tool"), [("everything", "test_simple_text"), ("notes", "search"), ("quickstart", "forecast")]
)
def test_each_example_that_is_a_server_is_served_by_the_installed_wheel(mcport: Path, example: str, tool: str) -> None:
    done = run(mcport, "list", f"example:{example}", "tools", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert tool in [found["name"] for found in json.loads(done.stdout)["tools"]]


def test_the_example_that_is_a_program_runs_from_the_installed_wheel(mcport: Path, tmp_path: Path) -> None:
    desk = {"command": str(mcport), "args": ["run", "example:quickstart"]}
    file = tmp_path / "servers.json"
    file.write_text(json.dumps({"mcpServers": {"desk": desk}}))
    done = run(mcport, "run", "example:host", str(file), "desk.add a=17 b=25")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "The tool says: 42"
