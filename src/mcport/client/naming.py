"""How a user names what a client talks to: a script, a command, an `mcpServers` entry, a URL, a server, a transport.

It starts nothing. Below: `target`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from mcport.record import changed
from mcport.session.channel import Trace, Transport

from .target import (
    ChildOptions,
    ChildTarget,
    Dial,
    DialTarget,
    Hosted,
    HttpOptions,
    ServerTarget,
    Target,
    TracedTarget,
    TransportTarget,
)

TargetLike: TypeAlias = str | Path | Sequence[str] | Mapping[str, Any] | Hosted | Transport | Dial
"""A path to a Python script, a URL, a command as a list of arguments, an entry of an `mcpServers` file, a server in
this process, a transport, or a function that opens a transport each time."""


_SCHEMES: Final = ("http://", "https://")
_STARTED: Final = "a server that the client starts"


def target_of(
    target: TargetLike,
    options: ChildOptions | None = None,
    trace: Trace | None = None,
    over_http: HttpOptions | None = None,
) -> Target:
    """Return the target that a user means; with `trace`, one that shows every message.

    Raises ValueError or TypeError with one line for anything that is no target, for options of a child process where
    none is started, and for those of HTTP where none is spoken.
    """
    options, over_http = options or ChildOptions(), over_http or HttpOptions()
    found = _at_url(target, options, over_http)
    if found is None:
        _refuse(over_http.given, "a server at a URL", target)
        found = _child(target, options) or _other(target, options)
    return found if trace is None else TracedTarget(found, trace)


def _at_url(target: TargetLike, options: ChildOptions, over_http: HttpOptions) -> Target | None:
    """Return the target for a URL, or for an `mcpServers` entry that has one; None for anything else."""
    if isinstance(target, Mapping) and "url" in target:
        return _url_entry(target, options, over_http)
    if not isinstance(target, str) or not target.lower().startswith(_SCHEMES):
        return None
    _refuse(options.given, _STARTED, target)
    from .http_target import HttpTarget

    return HttpTarget(target, over_http)


def _refuse(given: Sequence[str], kind: str, target: object) -> None:
    """Raise TypeError if options were given that are for another kind of target."""
    if given:
        raise TypeError(f"{' and '.join(given)}: only for {kind}, which {target!r:.80} is not")


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
    _refuse(options.given, _STARTED, target)
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
    if path.endswith(".py"):
        return [sys.executable, path]
    raise ValueError(f"{path!r} is not a Python script; give a command as a list: {path.split()!r}")


def _url_entry(entry: Mapping[str, Any], options: ChildOptions, over_http: HttpOptions) -> Target:
    """Read an entry of an `mcpServers` file that has a URL; headers that the client was given besides win."""
    url, headers = entry["url"], entry.get("headers") or {}
    if not isinstance(url, str) or not url.lower().startswith(_SCHEMES):
        raise ValueError(f"the url of an mcpServers entry begins with http:// or https://, not {url!r:.80}")
    return target_of(url, options, None, changed(over_http, headers={**headers, **(over_http.headers or {})}))


def _entry(entry: Mapping[str, Any], options: ChildOptions) -> ChildTarget:
    """Read one entry of an `mcpServers` file; what the client was given besides wins."""
    command, arguments = entry.get("command"), entry.get("args", [])
    if not isinstance(command, str):
        raise ValueError(f"an mcpServers entry needs a command, this one has {', '.join(sorted(entry)) or 'nothing'}")
    if not isinstance(arguments, Sequence) or isinstance(arguments, str):
        raise TypeError(f"args of an mcpServers entry are a list of strings, not {arguments!r:.80}")
    env = {**entry.get("env", {}), **(options.env or {})}
    return ChildTarget([command, *arguments], changed(options, env=env, cwd=options.cwd or entry.get("cwd")))
