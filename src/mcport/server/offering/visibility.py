"""Who may see what: tools, resources and prompts that are not for everybody.

What somebody may not see does not exist for them: it is not listed, and asking for it is answered as if it were not
there. An entry decides by the request alone (server/tools, "Capabilities": a list may vary with the authorization of a
request, never with the connection). Below: `calling`, `faults`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from mcport.core.dialects.contract import Admitted
from mcport.server.handling.calling import context_of
from mcport.server.handling.context import Context
from mcport.server.results.faults import Faults
from mcport.session.exchange import Exchange

Visible: TypeAlias = Callable[[Context[Any]], bool]
"""Whether whoever asks may see an entry. It must be quick, and must not be a coroutine function."""


class Hideable(Protocol):
    """Something that may be hidden."""

    @property
    def key(self) -> str: ...

    @property
    def visible(self) -> Visible | None: ...


class Sight:
    """Judges who sees what on one server. A check that fails hides its entry, and the log has the reason."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def judge(self, exchange: Exchange, admitted: Admitted) -> Callable[[Hideable], bool]:
        """Return the judge for one request."""
        ctx = context_of(exchange, admitted)

        def sees(entry: Hideable) -> bool:
            try:
                return entry.visible is None or _answer(entry.visible(ctx))
            except Exception as error:
                self._faults.text(f"The visibility of {entry.key!r}", error)
                return False

        return sees


def _answer(seen: object) -> bool:
    """A coroutine would count as true, and would show what was to be hidden: nothing but a bool counts."""
    if seen is not None and not isinstance(seen, bool):
        raise TypeError(f"visible returns True or False, not {type(seen).__name__}")
    return seen is True


def check_visible(visible: object) -> None:
    """Raise TypeError for what cannot tell who sees an entry."""
    if visible is None:
        return
    if not callable(visible):
        raise TypeError(f"visible is a function that takes the Context, not {type(visible).__name__}")
    if inspect.iscoroutinefunction(visible):
        raise TypeError("visible is a plain function: it is asked for every entry of every list")
