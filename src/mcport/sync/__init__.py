"""A client without `await`, for scripts, notebooks and the interactive prompt.

    from mcport import sync

    with sync.Client("weather.py") as client:
        print(client.call_tool("forecast", {"city": "Lyon"}).content)

Loaded when it is first used, so that importing it costs nothing. Below: the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client as Client
    from .handle import CallHandle as CallHandle
    from .stream import Changes as Changes
    from .stream import Stream as Stream

_HOMES = {"Client": "client", "CallHandle": "handle", "Changes": "stream", "Stream": "stream"}

__all__ = ["CallHandle", "Changes", "Client", "Stream"]


def __getattr__(name: str) -> object:
    """Load a public name from the module where it lives."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mcport.sync' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
