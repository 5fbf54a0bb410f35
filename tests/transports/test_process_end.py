"""The end of a child: asked first, then killed; the whole tree, whatever happens to who asked for it (P6)."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from mcport.transports import ending
from mcport.transports.process import Child, ChildLimits
from tests.transports.children import Leash, mcport_program, program, read_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and FIFOs are POSIX")

# A step that is expected to be of no avail is short; one that is expected to help may take its time.
NO_AVAIL = 0.02
HELPS = 10.0
KILLED = ChildLimits(close_seconds=NO_AVAIL, terminate_seconds=NO_AVAIL, kill_seconds=HELPS)
TERMINATED = ChildLimits(close_seconds=NO_AVAIL, terminate_seconds=HELPS, kill_seconds=HELPS)
CLOSED = ChildLimits(close_seconds=HELPS, terminate_seconds=HELPS, kill_seconds=HELPS)


@pytest.fixture
def leash(tmp_path: Path) -> Iterator[Leash]:
    leash = Leash(tmp_path / "leash")
    yield leash
    leash.close()


async def ready(argv: list[str], limits: ChildLimits) -> Child:
    child = await Child.start(argv, limits=limits)
    assert await read_line(child.stdout_fd) == "ready"
    return child


# ---- the three steps


@pytest.mark.requirement("stdio.shutdown-sequence")
async def test_a_child_that_heeds_the_end_of_its_stdin_is_not_signalled() -> None:
    child = await Child.start(program("never_answers.py"), limits=CLOSED)
    await child.end()
    assert child.returncode == 0


@pytest.mark.requirement("stdio.shutdown-sequence")
async def test_a_child_that_ignores_the_end_of_its_stdin_is_terminated() -> None:
    child = await ready(program("obeys_term.py"), TERMINATED)
    await child.end()
    assert child.returncode == 3


@pytest.mark.requirement("stdio.shutdown-sequence")
async def test_a_child_that_ignores_sigterm_is_killed() -> None:
    child = await ready(program("ignores_term.py"), KILLED)
    started = anyio.current_time()
    await child.end()
    assert child.returncode == -signal.SIGKILL
    assert anyio.current_time() - started < HELPS


async def test_a_child_that_died_before_is_collected_and_keeps_its_code() -> None:
    child = await Child.start(program("dies_at_start.py", "7"), limits=CLOSED)
    await child.wait_exit()
    await child.end()
    assert (child.returncode, await child.wait_exit()) == (7, 7)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_what_a_child_says_at_its_end_does_not_keep_it_from_ending() -> None:
    child = await ready(program("floods_stdout_at_end.py"), CLOSED)
    await child.end()
    assert child.returncode == 5


async def test_a_channel_may_work_on_duplicates_that_it_closes_itself() -> None:
    child = await ready(program("floods_stdout_at_end.py"), CLOSED)
    for fd in (os.dup(child.stdin_fd), os.dup(child.stdout_fd)):
        os.close(fd)
    await child.end()
    assert (child.returncode, child.stdin_fd, child.stdout_fd) == (5, -1, -1)


async def test_an_end_is_complete_even_if_somebody_closed_what_was_lent() -> None:
    child = await Child.start(program("never_answers.py"), limits=CLOSED)
    os.close(child.stdin_fd)
    await child.end()
    assert child.returncode == 0


# ---- the tree


async def test_p6_a_grandchild_that_outlives_its_parent_is_terminated(leash: Leash) -> None:
    child = await ready(program("leaves_grandchild.py", leash.path, "stays"), TERMINATED)
    await leash.line()
    await child.end()
    await leash.gone()


async def test_p6_a_stubborn_grandchild_is_killed(leash: Leash) -> None:
    child = await ready(program("leaves_grandchild.py", leash.path, "stays", "stubborn"), KILLED)
    await leash.line()
    await child.end()
    await leash.gone()


async def test_the_exit_is_told_while_a_grandchild_holds_the_pipes_and_the_end_reaches_it(leash: Leash) -> None:
    child = await ready(program("leaves_grandchild.py", leash.path, "leaves"), TERMINATED)
    grandchild = int(await leash.line())
    assert await child.wait_exit() == 0
    os.kill(grandchild, 0)
    await child.end()
    await leash.gone()


async def test_a_dead_child_keeps_the_number_of_its_group_until_the_end() -> None:
    """A number that went to a stranger would make the stranger the victim of the next signal."""
    child = await Child.start(program("dies_at_start.py"))
    await child.wait_exit()
    os.killpg(child.pid, 0)
    await child.end()
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


# ---- once, whoever asks, however often


async def test_an_end_may_come_twice() -> None:
    child = await Child.start(program("never_answers.py"))
    await child.end()
    await child.end()
    assert child.returncode == 0


async def test_all_who_end_a_child_at_once_return_when_it_has_ended() -> None:
    child = await ready(program("ignores_term.py"), KILLED)
    codes: list[int | None] = []

    async def end() -> None:
        await child.end()
        codes.append(child.returncode)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(end)
    assert codes == [-9, -9, -9]


async def test_who_waits_for_the_exit_learns_of_the_end() -> None:
    child = await ready(program("ignores_term.py"), KILLED)
    codes: list[int] = []

    async def wait() -> None:
        codes.append(await child.wait_exit())

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await child.end()
    assert codes == [-9]


# ---- cancelled, torn down, forgotten


async def test_a_cancelled_end_still_ends_the_child_politely() -> None:
    child = await ready(program("obeys_term.py"), TERMINATED)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await child.end()
    assert child.returncode == 3


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_that_asyncio_tears_out_of_the_end_kills_the_child_at_once(leash: Leash) -> None:
    child = await ready(program("ignores_term.py", leash.path), CLOSED)
    task = asyncio.create_task(child.end())
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await leash.gone()
    await child.end()
    assert child.returncode == -signal.SIGKILL
    assert await child.wait_exit() == -signal.SIGKILL


async def test_a_forgotten_child_is_killed_when_it_is_collected(leash: Leash) -> None:
    child = await ready(program("ignores_term.py", leash.path), KILLED)
    del child
    gc.collect()
    await leash.gone()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
async def test_a_forgotten_child_leaves_no_descriptors_behind(leash: Leash) -> None:
    before = os.listdir("/proc/self/fd")
    child = await ready(program("ignores_term.py"), KILLED)
    spawned_exit = child._exit
    del child
    gc.collect()
    await spawned_exit.wait()
    await anyio.wait_all_tasks_blocked()
    assert os.listdir("/proc/self/fd") == before


async def test_the_end_is_bounded_even_if_nothing_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unkillable process (one that hangs in the kernel) must not hang its parent too."""
    limits = ChildLimits(close_seconds=NO_AVAIL, terminate_seconds=NO_AVAIL, kill_seconds=NO_AVAIL)
    child = await ready(program("ignores_term.py"), limits)
    monkeypatch.setattr(ending, "REAP_SECONDS", NO_AVAIL)
    with monkeypatch.context() as unkillable:
        unkillable.setattr(os, "killpg", lambda *_: None)
        started = time.monotonic()
        await child.end()
        assert time.monotonic() - started < HELPS
    assert child.returncode is None
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    child._spawned.process.returncode = -9


# ---- the parent's own end


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_server_sees_the_end_of_its_input_when_its_parent_is_killed(leash: Leash, backend: str) -> None:
    command = mcport_program("parent.py", backend, "waits", *program("sees_eof.py", leash.path))
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert await leash.line() == "ready"
    parent.kill()
    assert await leash.line() == "eof"
    parent.communicate()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stubborn_server_does_not_outlive_the_interpreter(leash: Leash, backend: str) -> None:
    command = mcport_program("parent.py", backend, "leaves", *program("ignores_term.py", leash.path))
    parent = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (parent.stdout, parent.stderr, parent.returncode) == ("started\n", "", 0)
    await leash.gone()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_end_of_a_fork_does_not_end_the_children_of_its_parent(backend: str) -> None:
    command = mcport_program("parent.py", backend, "forks", *program("echoes.py"))
    parent = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (parent.stdout, parent.stderr, parent.returncode) == ("started\nstill here\n", "", 0)
