"""How a user names what a client talks to: a script, a command, an `mcpServers` entry, a server, a transport.

It starts nothing. Below: `target`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mcport.record import changed
from mcport.session.channel import Trace, Transport

from .target import (
    ChildOptions,
    ChildTarget,
    Dial,
    DialTarget,
    Hosted,
    ServerTarget,
    Target,
    TracedTarget,
    TransportTarget,
)

TargetLike: TypeAlias = str | Path | Sequence[str] | Mapping[str, Any] | Hosted | Transport | Dial
"""A path to a Python script, a command as a list of arguments, an entry of an `mcpServers` file, a server in this
process, a transport, or a function that opens a transport each time."""


def target_of(target: TargetLike, options: ChildOptions | None = None, trace: Trace | None = None) -> Target:
    """Return the target that a user means; with `trace`, one that shows every message.

    Raises ValueError or TypeError with one line for anything that is no target, and for options of a child process
    where none is started.
    """
    options = options or ChildOptions()
    found = _child(target, options) or _other(target, options)
    return found if trace is None else TracedTarget(found, trace)


def _child(target: TargetLike, options: ChildOptions) -> Target | None:
    """Return the target for what starts a child process, None for anything else."""
    if isinstance(target, str | Path):
        return ChildTarget(_script(str(target)), options)
    if isinstance(target, Mapping):
        return _entry(target, options)
    if isinstance(target, Sequence):
        return ChildTarget(target, options)
    return None


def _other(target: TargetLike, options: ChildOptions) -> Target:
    if options.given:
        what = " and ".join(options.given)
        raise TypeError(f"{what}: only for a server that the client starts, which {target!r:.80} is not")
    if isinstance(target, type):
        raise TypeError(f"a client connects to an object: make one, {target.__name__}(...)")
    if isinstance(target, Hosted):
        return ServerTarget(target)
    if isinstance(target, Transport):
        return TransportTarget(target)
    if callable(target):
        return DialTarget(target)
    raise TypeError(f"a client connects to a script, a command list, a Server or a transport, not to {target!r:.80}")


def _script(path: str) -> list[str]:
    if path.startswith(("http://", "https://")):
        raise ValueError(f"{path}: only servers over stdio or in the same process can be reached by this version")
    if path.endswith(".py"):
        return [sys.executable, path]
    raise ValueError(f"{path!r} is not a Python script; give a command as a list: {path.split()!r}")


def _entry(entry: Mapping[str, Any], options: ChildOptions) -> ChildTarget:
    """Read one entry of an `mcpServers` file; what the client was given besides wins."""
    command, arguments = entry.get("command"), entry.get("args", [])
    if not isinstance(command, str):
        raise ValueError(f"an mcpServers entry needs a command, this one has {', '.join(sorted(entry)) or 'nothing'}")
    if not isinstance(arguments, Sequence) or isinstance(arguments, str):
        raise TypeError(f"args of an mcpServers entry are a list of strings, not {arguments!r:.80}")
    env = {**entry.get("env", {}), **(options.env or {})}
    return ChildTarget([command, *arguments], changed(options, env=env, cwd=options.cwd or entry.get("cwd")))
