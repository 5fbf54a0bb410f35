"""A child process that serves: started without a shell, watched while it runs, ended with all that it started.

    child = await Child.start(["python", "server.py"])
    ...                                 # bytes travel over child.stdin_fd and child.stdout_fd
    await child.end()

No task group stays open and nothing is bound to the task that called `start`: any task of the same event loop may end
a child, in any order. Knows nothing of messages. Below sit the command, the environment, the process with its tree,
the watch over its exit and the reader of stderr.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

from mcport.session.loop import Loop, Stoppable, current_loop
from mcport.transports.command import Command
from mcport.transports.environment import child_environment
from mcport.transports.exit_watch import ExitWatch
from mcport.transports.printable import printable_line
from mcport.transports.spawned import Spawned
from mcport.transports.stderr import StderrReader

# Sees the command and the whole environment before anything is started. It forbids the start by raising or by
# returning `False`; the text of the exception becomes the cause of the error.
SpawnPolicy = Callable[[Sequence[str], Mapping[str, str]], bool | None]

DISCARD_BYTES: Final = 64 * 1024
LONGEST_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """How long each step of an ending may take, in seconds, and how much of stderr is kept, in bytes."""

    close_seconds: float = 2.0
    terminate_seconds: float = 2.0
    kill_seconds: float = 1.0
    stderr_bytes: int = 64 * 1024


DEFAULT_LIMITS: Final = ChildLimits()


class Child:
    """A running child process. Made by `start`.

    `stdin_fd` and `stdout_fd` are the parent's ends of its pipes. They are lent: `end` closes them, and nobody may use
    them then; a channel that closes what it works on takes duplicates (`os.dup`), and closes them first. They are not
    inherited by other processes, and blocking until somebody changes that.
    """

    def __init__(
        self,
        command: Command,
        spawned: Spawned,
        *,
        limits: ChildLimits,
        on_stderr: Callable[[str], object] | None = None,
    ) -> None:
        self._command = command
        self._spawned = spawned
        self._limits = limits
        self._loop = current_loop()
        self._stderr = StderrReader(self._loop, spawned.stderr_fd, limits.stderr_bytes, on_stderr)
        self._exit = ExitWatch(
            self._loop, spawned.process, before_telling=self._stderr.drain, in_thread=self._stderr.settle
        )
        self._ended: anyio.Event | None = None
        self._finalizer = weakref.finalize(self, spawned.release)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        inherit_env: bool = False,
        cwd: str | os.PathLike[str] | None = None,
        spawn_policy: SpawnPolicy | None = None,
        on_stderr: Callable[[str], object] | None = None,
        limits: ChildLimits = DEFAULT_LIMITS,
    ) -> Child:
        """Start a process, as the leader of a session of its own, and return without waiting for a sign of life.

        `argv` is a list of arguments, whose first is searched in the child's `PATH`; no shell reads it. The child
        gets a few harmless variables of this process (all, with `inherit_env`) and `env`. `on_stderr` is called in
        the event loop with each line of its stderr, control characters escaped.

        Raises `ConnectFailed` with one line if the process cannot be started or the policy forbids it, `TypeError`
        or `ValueError` for arguments that could never work. Nothing is left behind then.
        """
        command = Command.of(argv)
        variables = child_environment(env, inherit_env=inherit_env)
        folder = None if cwd is None else os.fspath(cwd)
        await checkpoint()
        _consult(spawn_policy, command, variables)
        program = command.program(variables, folder)
        # Forking and executing takes a millisecond or two. In a worker thread it would take longer, and a caller who
        # is cancelled meanwhile would leave a process behind.
        try:
            spawned = Spawned.of(command, program, variables, folder)
        except OSError as error:
            raise command.explain(error, folder) from error
        try:
            return cls(command, spawned, limits=limits, on_stderr=on_stderr)
        except BaseException:
            spawned.release()
            raise

    def __repr__(self) -> str:
        state = "running" if self.returncode is None else f"exited with {self.returncode}"
        return f"<Child {self.pid} '{self.argv_line}' {state}>"

    @property
    def pid(self) -> int:
        """The process id; on POSIX also the id of its group and session."""
        return self._spawned.process.pid

    @property
    def argv_line(self) -> str:
        """The command as one harmless line for people."""
        return self._command.line

    @property
    def stdin_fd(self) -> int:
        """The descriptor by which to write to the child; -1 once its end has begun."""
        return self._spawned.stdin_fd

    @property
    def stdout_fd(self) -> int:
        """The descriptor by which to read from the child; -1 once it has been ended."""
        return self._spawned.stdout_fd

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; `None` while the child runs."""
        code = self._exit.code
        return self._spawned.process.returncode if code is None else code

    @property
    def exited(self) -> bool:
        """Whether the child itself is known to have ended; what it started may still run and hold the pipes."""
        return self.returncode is not None

    def stderr_tail(self) -> str:
        """The last part of what the child wrote to stderr, control characters escaped."""
        return self._stderr.text()

    async def wait_exit(self) -> int:
        """Wait until the child has ended and return its exit code, negative for a signal.

        By then all that the child itself wrote to stderr is in `stderr_tail`. Its stdout may hold more to read; and
        may stay open, if something that the child started lives on.
        """
        return await self._exit.wait()

    async def end(self) -> None:
        """End the child and all that it started, and take both descriptors back.

        Closes its stdin and waits; sends SIGTERM to its process group and waits; sends SIGKILL. Each step ends early
        when nobody of the group is left (2025-11-25, basic/lifecycle, Shutdown; 2026-07-28, basic/transports/stdio,
        Shutdown). What the child still writes to stdout is read and dropped, so that it cannot get stuck there.

        Not cut short by cancellation, and bounded by the sum of `ChildLimits`. Any number of tasks may call it, any
        number of times; all return when the end is there.
        """
        if self._ended is not None:
            await self._ended.wait()
            return
        self._ended = anyio.Event()
        sink: Sink | None = None
        try:
            with anyio.CancelScope(shield=True):
                self._spawned.close_stdin()
                sink = Sink(self._loop, self._spawned.stdout_fd)
                await self._descend()
        finally:
            # Also when the event loop tears the shield down: then the kill comes at once.
            if sink is not None:
                sink.close()
            self._release()
            self._ended.set()

    async def _descend(self) -> None:
        tree, limits = self._spawned.tree, self._limits
        if await self._gone_within(limits.close_seconds):
            return
        if tree.ask_to_end() and await self._gone_within(limits.terminate_seconds):
            return
        tree.kill()
        await self._gone_within(limits.kill_seconds)

    async def _gone_within(self, seconds: float) -> bool:
        """Wait for the child, then for the rest of its tree, which no event announces."""
        with anyio.move_on_after(seconds):
            await self._exit.wait()
            self._exit.reap()
            pause = 0.001
            while not self._spawned.tree.is_empty():
                await anyio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            return True
        return False

    def _release(self) -> None:
        self._finalizer.detach()
        self._spawned.release()
        self._exit.close()
        self._stderr.close()


def _consult(policy: SpawnPolicy | None, command: Command, env: Mapping[str, str]) -> None:
    if policy is None:
        return
    try:
        verdict: object = policy(command.argv, MappingProxyType(env))
    except Exception as error:
        raise command.failed(f"forbidden by the spawn policy: {printable_line(str(error))}") from error
    # Only these two allow it: not the coroutine of an `async def`, which has not looked at anything yet.
    if verdict is not None and verdict is not True:
        raise command.failed("forbidden by the spawn policy")


class Sink:
    """Reads and drops what comes from a pipe until it is closed; where pipes cannot be watched, nothing is read."""

    def __init__(self, loop: Loop, fd: int) -> None:
        self._fd = fd
        self._watch: Stoppable | None = None
        if sys.platform != "win32" and loop.can_watch:
            os.set_blocking(fd, False)
            self._watch = loop.watch_reading(fd, self._drop)

    def close(self) -> None:
        """Stop reading; the descriptor stays open."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _drop(self) -> None:
        # A watch may still call when it was readable in the moment of its end.
        if self._watch is not None:
            with suppress(BlockingIOError):
                if not os.read(self._fd, DISCARD_BYTES):
                    self.close()
