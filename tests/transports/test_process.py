"""A child process: how it is started, talked to, watched, and told of its end by an exit code."""

import gc
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport.errors import ConnectFailed
from mcport.transports.process import Child
from tests.transports.children import program, read_line

Start = Callable[..., Awaitable[Child]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts children that are ended after the test."""
    started: list[Child] = []

    async def start(argv: list[str], **options: Any) -> Child:
        started.append(await Child.start(argv, **options))
        return started[-1]

    yield start
    for child in started:
        await child.end()


async def facts(child: Child) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await read_line(child.stdout_fd))
    return told


async def test_bytes_travel_both_ways(start: Start) -> None:
    child = await start(program("echoes.py"))
    os.write(child.stdin_fd, b"ping\n")
    assert await read_line(child.stdout_fd) == "ping"


async def test_a_running_child_has_no_exit_code_and_a_readable_repr(start: Start) -> None:
    child = await start(program("echoes.py"))
    assert (child.returncode, child.exited) == (None, False)
    assert repr(child) == f"<Child {child.pid} '{child.argv_line}' running>"


@pytest.mark.parametrize("code", [0, 2, 77])
async def test_the_exit_code_is_told_when_the_child_has_ended(start: Start, code: int) -> None:
    child = await start(program("dies_at_start.py", str(code)))
    assert await child.wait_exit() == code
    assert (child.returncode, child.exited) == (code, True)
    assert repr(child).endswith(f"exited with {code}>")


async def test_a_child_that_a_signal_ended_has_its_number_negative_as_code(start: Start) -> None:
    child = await start(program("echoes.py"))
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait_exit() == -signal.SIGKILL


async def test_any_number_of_tasks_may_wait_for_the_exit(start: Start) -> None:
    child = await start(program("echoes.py"))
    codes: list[int] = []

    async def wait() -> None:
        codes.append(await child.wait_exit())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        os.kill(child.pid, signal.SIGKILL)
    assert codes == [-9, -9, -9]
    assert await child.wait_exit() == -9


async def test_waiting_for_the_exit_can_be_cancelled_and_taken_up_again(start: Start) -> None:
    child = await start(program("echoes.py"))
    with anyio.move_on_after(0):
        await child.wait_exit()
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait_exit() == -9


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread always waits")
@pytest.mark.parametrize("fault", [OSError(38, "Function not implemented"), None])
async def test_a_thread_waits_for_the_exit_where_there_are_no_process_descriptors(
    start: Start, monkeypatch: pytest.MonkeyPatch, fault: OSError | None
) -> None:
    def refuse(pid: int) -> int:
        raise fault or AssertionError

    monkeypatch.setattr(os, "pidfd_open", refuse) if fault else monkeypatch.delattr(os, "pidfd_open")
    child = await start(program("dies_at_start.py", "4"))
    assert await child.wait_exit() == 4
    assert "settings.toml" in child.stderr_tail()


async def test_arguments_reach_the_child_as_they_are_and_no_shell_reads_them(start: Start) -> None:
    hostile = ["a b", "", "$HOME", "; exit 7", "`id`", "*", '"', "'", "\\", "ä", "-"]
    child = await start([*program("tells_of_itself.py"), *hostile])
    assert (await facts(child))["arguments"] == hostile


async def test_arguments_may_be_paths(start: Start, tmp_path: Path) -> None:
    command: list[Any] = [*program("tells_of_itself.py"), tmp_path]
    child = await start(command)
    assert (await facts(child))["arguments"] == [str(tmp_path)]


@pytest.mark.requirement("auth.stdio-environment")
async def test_a_child_gets_what_is_given_and_nothing_secret_of_its_parent(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARENT_TOKEN", "secret")
    child = await start(program("tells_of_itself.py"), env={"SERVER_TOKEN": "given"})
    environment = (await facts(child))["environment"]
    assert environment["SERVER_TOKEN"] == "given"
    assert environment["PATH"] == os.environ["PATH"]
    assert "PARENT_TOKEN" not in environment


async def test_the_whole_environment_is_inherited_on_demand(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARENT_TOKEN", "shared")
    child = await start(program("tells_of_itself.py"), inherit_env=True)
    assert (await facts(child))["environment"]["PARENT_TOKEN"] == "shared"


async def test_a_child_works_in_the_directory_it_was_given(start: Start, tmp_path: Path) -> None:
    child = await start(program("tells_of_itself.py"), cwd=tmp_path)
    assert (await facts(child))["directory"] == str(tmp_path.resolve())


async def test_a_child_leads_a_session_and_a_group_of_its_own(start: Start) -> None:
    child = await start(program("tells_of_itself.py"))
    told = await facts(child)
    assert told["session"] == told["group"] == told["pid"] == child.pid


@pytest.mark.skipif(sys.platform != "linux", reason="the child lists its descriptors in /proc")
async def test_children_inherit_no_descriptors_of_each_other(start: Start) -> None:
    for _ in range(2):
        child = await start(program("tells_of_itself.py"))
    assert (await facts(child))["descriptors"] == [0, 1, 2]


async def test_children_end_in_any_order_and_from_any_task(start: Start) -> None:
    """P1: opened in one task, closed in another, first in and first out."""
    children: list[Child] = []

    async def open_one() -> None:
        children.append(await start(program("never_answers.py")))

    for _ in range(2):
        async with anyio.create_task_group() as group:
            group.start_soon(open_one)
    for child in children:
        async with anyio.create_task_group() as group:
            group.start_soon(child.end)
    assert [child.returncode for child in children] == [0, 0]


async def test_no_cancel_scope_leaks_to_the_caller(start: Start) -> None:
    """P1: a scope that was entered before the start can be left while the child runs."""
    with anyio.CancelScope() as scope:
        child = await start(program("echoes.py"))
        scope.cancel()
        await anyio.sleep_forever()
    os.write(child.stdin_fd, b"ping\n")
    assert await read_line(child.stdout_fd) == "ping"


async def test_a_cancelled_start_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await Child.start(program("echoes.py"))
    assert scope.cancelled_caught


# ---- the spawn policy


async def test_a_policy_sees_the_command_and_the_environment_and_may_allow_it(start: Start) -> None:
    seen: list[tuple[tuple[str, ...], str]] = []

    def policy(argv: Any, env: Any) -> None:
        seen.append((argv, env["TOKEN"]))

    command = program("echoes.py")
    await start(command, env={"TOKEN": "given"}, spawn_policy=policy)
    assert seen == [(tuple(command), "given")]


async def test_what_a_policy_raises_is_the_cause_of_the_error() -> None:
    def policy(argv: Any, env: Any) -> None:
        raise PermissionError("npx is not allowed here")

    with pytest.raises(ConnectFailed) as caught:
        await Child.start(["npx"], spawn_policy=policy)
    assert str(caught.value) == "Cannot start server 'npx': forbidden by the spawn policy: npx is not allowed here"
    assert isinstance(caught.value.__cause__, PermissionError)


@pytest.mark.parametrize("verdict", [False, 0, "no", object()])
async def test_a_policy_that_answers_anything_but_yes_forbids(verdict: Any) -> None:
    with pytest.raises(ConnectFailed, match=r"'npx': forbidden by the spawn policy$"):
        await Child.start(["npx"], spawn_policy=lambda argv, env: verdict)


async def test_a_policy_cannot_change_the_environment_that_it_judges() -> None:
    def policy(argv: Any, env: Any) -> None:
        env["PATH"] = "/elsewhere"

    with pytest.raises(ConnectFailed, match="does not support item assignment"):
        await Child.start(program("echoes.py"), spawn_policy=policy)


# ---- nothing is left behind


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
async def test_neither_an_ended_child_nor_a_failed_start_leaves_descriptors_behind(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)

    async def once() -> None:
        child = await Child.start(program("dies_at_start.py"))
        await child.end()
        with pytest.raises(ConnectFailed):
            await Child.start([str(broken)])

    await once()
    gc.collect()
    before = os.listdir("/proc/self/fd")
    await once()
    assert os.listdir("/proc/self/fd") == before


async def test_a_child_whose_watch_cannot_begin_is_not_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        pids.append(arguments[1].pid)
        raise RuntimeError("no watch today")

    monkeypatch.setattr("mcport.transports.process.ExitWatch", refuse)
    with pytest.raises(RuntimeError, match="no watch today"):
        await Child.start(program("ignores_term.py"))
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
