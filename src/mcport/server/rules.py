"""What the options of a Server may be.

What is not here is judged by the room that it is for. Loaded with the first option that is not the usual one. Below:
`core.rules`, `cache_hint`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from mcport.core.limits import Limits
from mcport.core.rules import COUNT, FLAG, FUNCTION, ICONS, SECONDS, SEVERAL, TEXT, Rule, of_kind, with_methods

from .offering.cache_hint import CacheHint

_HINT: Final = of_kind("a CacheHint, such as CacheHint(ttl_ms=60_000)", CacheHint)


def _lifespan(name: str, value: Any) -> None:
    FUNCTION(name, value)
    if inspect.isasyncgenfunction(value) or inspect.iscoroutinefunction(value):
        raise TypeError(f"{name} is a function that returns a context: write @asynccontextmanager above its async def")


def _hints(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        _HINT(name, value)
        return
    for kind, hint in value.items():
        _HINT(f"{name}[{kind!r}]", hint)


def _keys(name: str, value: Any) -> None:
    """Raises without a word of the keys themselves."""
    keys = value if isinstance(value, list | tuple) else [value]
    for each in keys:
        if not isinstance(each, bytes | bytearray):
            raise TypeError(f"{name} is bytes, such as those of os.urandom(32), or a list of them")


RULES: Final[Mapping[str, Rule]] = {
    "title": TEXT,
    "description": TEXT,
    "website_url": TEXT,
    "icons": ICONS,
    "instructions": TEXT,
    "revisions": SEVERAL,
    "lifespan": _lifespan,
    "limits": of_kind("Limits, such as Limits(requests_in_flight=10)", Limits),
    "page_size": COUNT,
    "offers": SEVERAL,
    "middleware": SEVERAL,
    "extensions": SEVERAL,
    "cache": _HINT,
    "cache_lists": _hints,
    "notices": with_methods("a way to tell other processes of changes", "publish", "listen"),
    "dev": FLAG,
    "seal_key": _keys,
    "ask_timeout": SECONDS,
    "ask_total": SECONDS,
    "ask_store": with_methods("a store", "put", "get", "use"),
    "auth": with_methods("a gate, such as BearerAuth(...)", "admit", "check", "remembered", "expired"),
}
"""The rule of each option."""
