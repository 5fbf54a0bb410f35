"""What a client talks to: how a target is named, opened, and explained when it is lost.

The only room of the client that names transports. A target is opened anew for each attempt, so a client can start a
process again. Below: `transports`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from ..core.limits import Limits
from ..errors import ConnectFailed, ConnectionLost
from ..session.channel import Channel, Trace, TracedChannel, Transport, TransportChannel
from ..session.loop import Loop


@runtime_checkable
class Hosted(Protocol):
    """A server in this process: anything with a host that serves channels."""

    name: str
    host: Any


TargetLike: TypeAlias = str | Path | Sequence[str] | Mapping[str, Any] | Hosted | Transport


class Target(Protocol):
    """One place to connect to. `name` is how errors call it."""

    name: str

    async def open(self, loop: Loop, limits: Limits) -> Channel:
        """Start whatever is to be started and return a channel to it; raises `ConnectFailed`."""
        ...

    def lost(self, phase: str, reason: str) -> ConnectionLost:
        """Return the error for a call that was pending when the connection ended."""
        ...

    def failed(self, reason: str) -> ConnectFailed:
        """Return the error for a conversation that never began."""
        ...


def target_of(
    target: TargetLike,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    trace: Trace | None = None,
) -> Target:
    """Return the target that a user means; with `trace`, one that shows every message.

    A path to a Python script, a command as a list of arguments, an entry of an `mcpServers` file, a server in this
    process, or a transport. Raises ValueError or TypeError with one line for anything else.
    """
    found = _target_of(target, env, cwd)
    return found if trace is None else TracedTarget(found, trace)


def _target_of(target: TargetLike, env: Mapping[str, str] | None, cwd: str | Path | None) -> Target:
    if isinstance(target, Hosted):
        return ServerTarget(target)
    if isinstance(target, Transport):
        return TransportTarget(target)
    if isinstance(target, str | Path):
        return ChildTarget(_script(str(target)), env, cwd)
    if isinstance(target, Mapping):
        return _entry(target, env, cwd)
    if isinstance(target, Sequence):
        return ChildTarget(list(target), env, cwd)
    raise TypeError(f"a client connects to a script, a command list, a Server or a transport, not to {target!r:.80}")


def _script(path: str) -> list[str]:
    if path.startswith(("http://", "https://")):
        raise ValueError(f"{path}: only servers over stdio or in the same process can be reached by this version")
    if path.endswith(".py"):
        return [sys.executable, path]
    raise ValueError(f"{path!r} is not a Python script; give a command as a list: {path.split()!r}")


def _entry(entry: Mapping[str, Any], env: Mapping[str, str] | None, cwd: str | Path | None) -> ChildTarget:
    """Read one entry of an `mcpServers` file."""
    command = entry.get("command")
    if not isinstance(command, str):
        raise ValueError(f"an mcpServers entry needs a command, this one has {', '.join(sorted(entry)) or 'nothing'}")
    given = {**entry.get("env", {}), **(env or {})}
    return ChildTarget([command, *entry.get("args", ())], given, cwd or entry.get("cwd"))


class _Named:
    """The plain errors of a target that has a name and nothing more to tell."""

    name: str

    def lost(self, phase: str, reason: str) -> ConnectionLost:
        line = f"{phase}: the connection to server '{self.name}' was lost, {reason}"
        return ConnectionLost(line, server=self.name, phase=phase, cause=reason)

    def failed(self, reason: str) -> ConnectFailed:
        line = f"Cannot connect to server '{self.name}': {reason}"
        return ConnectFailed(line, server=self.name, phase="connecting", cause=reason)


class ServerTarget(_Named):
    """A server in the same process; every message still passes through bytes."""

    def __init__(self, server: Hosted) -> None:
        self.name = server.name
        self._server = server

    async def open(self, loop: Loop, limits: Limits) -> Channel:
        from ..transports.memory import MemoryChannel

        ours, theirs = MemoryChannel.pair(loop, (limits.message_bytes, self._server.host.limits.message_bytes))
        loop.keep(self._serve(theirs, loop))
        return ours

    async def _serve(self, channel: Channel, loop: Loop) -> None:
        try:
            await self._server.host.serve(channel, loop)
        except Exception as error:
            self.reason = f"it failed: {type(error).__name__}: {error}"
            await channel.aclose()


class TransportTarget(_Named):
    """A transport that the user brings; it can be opened once."""

    def __init__(self, transport: Transport) -> None:
        self.name = type(transport).__name__
        self._transport = transport

    async def open(self, loop: Loop, limits: Limits) -> Channel:
        return TransportChannel(self._transport, loop, limits.message_bytes)


class ChildTarget:
    """A command that is started as a child process."""

    def __init__(self, argv: list[str], env: Mapping[str, str] | None, cwd: str | Path | None) -> None:
        if not argv or not all(isinstance(word, str) for word in argv):
            raise ValueError(f"a command is a list of strings, got {argv!r:.80}")
        self.name = " ".join(argv if argv[0] != sys.executable else ["python", *argv[1:]])
        self._argv = argv
        self._env = env
        self._cwd = cwd
        self._child: Any = None

    async def open(self, loop: Loop, limits: Limits) -> Channel:
        from ..transports.process import Child
        from ..transports.stdio import ChildChannel

        self._child = await Child.start(self._argv, env=self._env, cwd=self._cwd)
        return ChildChannel(self._child, loop, limits.message_bytes)

    def lost(self, phase: str, reason: str) -> ConnectionLost:
        tail = self._tail()
        line = f"{phase}: server '{self.name}' is gone, {reason}{_last(tail)}"
        code = self._child.returncode if self._child is not None else None
        return ConnectionLost(line, server=self.name, phase=phase, cause=reason, exit_code=code, stderr_tail=tail)

    def failed(self, reason: str) -> ConnectFailed:
        tail = self._tail()
        code = self._child.returncode if self._child is not None else None
        if code is not None:
            reason = f"exited with code {code} before it answered"
            line = f"Server '{self.name}' {reason}.{_last(tail)}"
        else:
            line = f"Server '{self.name}': {reason}{_last(tail)}"
        return ConnectFailed(line, server=self.name, phase="connecting", cause=reason)

    def _tail(self) -> str:
        return self._child.stderr_tail() if self._child is not None else ""


class TracedTarget:
    """Another target, whose channel shows what passes."""

    def __init__(self, target: Target, trace: Trace) -> None:
        self.name = target.name
        self.lost = target.lost
        self.failed = target.failed
        self._target = target
        self._trace = trace

    async def open(self, loop: Loop, limits: Limits) -> Channel:
        return TracedChannel(await self._target.open(loop, limits), self._trace)


def _last(stderr: str) -> str:
    """Return the last line of stderr as the end of an error line."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    return f" Last stderr: {lines[-1].strip()}" if lines else ""

