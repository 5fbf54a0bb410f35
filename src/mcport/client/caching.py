"""Results that are still good: kept as long as the server allows, forgotten when it says that they changed.

What may be kept, for how long and for whom is said by 2026-07-28 server/utilities/caching. It sends nothing and has no
clock of its own: whoever asks for a result looks here first and brings what came. Below: `changes`, jiter, pydantic.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Self, TypeAlias

from mcport.core.dialects.contract import PROMPTS_CHANGED, RESOURCE_UPDATED, RESOURCES_CHANGED, TOOLS_CHANGED
from mcport.core.events import Told
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS
from mcport.record import Record

READ: Final = "resources/read"
CACHEABLE: Final = frozenset(
    {"server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", READ}
)
"""The methods of which results may be kept, where they say so."""

_SPOILS: Final = {
    TOOLS_CHANGED: ("tools/list",),
    PROMPTS_CHANGED: ("prompts/list",),
    RESOURCES_CHANGED: ("resources/list", "resources/templates/list", READ),
}
_AFTER_INPUT: Final = frozenset({"inputResponses", "requestState"})
_LONGEST: Final = 31_536_000_000
"""A year of milliseconds: as good as for ever, and a number that can be added."""

_Place: TypeAlias = str | tuple[()]
_Key: TypeAlias = tuple[_Place, str, tuple[tuple[str, object], ...]]

PUBLIC: Final[_Place] = ()
"""Where public results are kept, which belong to no context."""


class _Kept(Record):
    result: bytes
    expires: float


class ResultCache:
    """The results of one server that one client keeps; give one to `Client(cache=...)` to choose its bounds.

    At most `entries` results of `size` bytes in all are kept; the ones unused for longest make room. `clock` gives
    seconds that never run backwards. Private results belong to one authorization `context` and are found in no other;
    in none, where the context is None because nobody knows it.
    """

    def __init__(
        self,
        *,
        entries: int = CLIENT_LIMITS.cache_entries,
        size: int = CLIENT_LIMITS.cache_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries = entries
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._used = 0
        self._spoilt: Counter[str] = Counter()
        self._claimed = False

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._kept)

    def claimed(self) -> Self:
        """Return this as the cache of one client. Raises ValueError for one that has a client: servers would be mixed
        up.
        """
        if self._claimed:
            raise ValueError("a ResultCache belongs to one client: make another one")
        self._claimed = True
        return self

    def holds(self, method: str) -> bool:
        """Whether any result of a method is kept, good or not."""
        return any(key[1] == method for key in self._kept)

    def find(self, method: str, params: JsonObject, context: str | None = "") -> JsonObject | None:
        """Return a result that is still good, a new object each time; None if there is none."""
        for place in _places(context):
            key = _key(place, method, params)
            kept = self._kept.get(key)
            if kept is None:
                continue
            if self._clock() < kept.expires:
                self._kept.move_to_end(key)
                return _read(kept.result)
            self._drop(key)
        return None

    def ticket(self, method: str) -> int:
        """Return what `keep` needs to know whether something changed after the request was sent."""
        return self._spoilt[method]

    def keep(self, method: str, params: JsonObject, result: JsonObject, ticket: int, context: str | None = "") -> None:
        """Keep a complete result that has just come, if it may be kept; the one before is forgotten.

        Not kept: what says no time or an unknown method, what was answered only after input, what may be older than a
        change that was told meanwhile, and what is private where nobody knows whose it is.
        """
        for before in _places(context):
            self._drop(_key(before, method, params))
        milliseconds = _lasting(result)
        if not milliseconds or method not in CACHEABLE or _AFTER_INPUT & params.keys() or ticket != self.ticket(method):
            return
        text = _written(result)
        place: _Place | None = PUBLIC if result.get("cacheScope") == "public" else context
        if place is not None and len(text) <= self._size // 4:
            self._kept[_key(place, method, params)] = _Kept(text, self._clock() + milliseconds / 1000)
            self._used += len(text)
            self._make_room()

    def hear(self, told: Told) -> None:
        """Forget what a notification says is not true any more."""
        if told.method == RESOURCE_UPDATED:
            self._spoilt[READ] += 1
            uri = told.params.get("uri")
            for key in [key for key in self._kept if key[1] == READ and _touches(uri, dict(key[2]).get("uri"))]:
                self._drop(key)
        for method in _SPOILS.get(told.method, ()):
            self.forget(method)

    def forget(self, method: str) -> None:
        """Forget all results of a method, every page of a list; one that is on its way will not be kept either."""
        self._spoilt[method] += 1
        for key in [key for key in self._kept if key[1] == method]:
            self._drop(key)

    def clear(self) -> None:
        """Forget everything: another server may be there now."""
        for method in CACHEABLE:
            self.forget(method)

    def _drop(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._used -= len(kept.result)

    def _make_room(self) -> None:
        while len(self._kept) > self._entries or self._used > self._size:
            self._drop(next(iter(self._kept)))


def _places(context: str | None) -> tuple[_Place, ...]:
    """Return where results may be found in a context: among its own, and among the public ones."""
    return (PUBLIC,) if context is None else (context, PUBLIC)


def _key(place: _Place, method: str, params: JsonObject) -> _Key:
    """Return what a result is kept under: every parameter counts."""
    return place, method, tuple(sorted(_plain(params)))


def _plain(params: JsonObject) -> Iterator[tuple[str, object]]:
    for name, value in params.items():
        yield name, value if isinstance(value, str) else _written(value)


def _lasting(result: JsonObject) -> float:
    """Return how many milliseconds a result is good; 0 for one that says nothing, or nonsense."""
    said = result.get("ttlMs")
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0
    return min(said, _LONGEST)


def _touches(updated: object, kept: object) -> bool:
    """Whether an update may concern what was read: it may name a part of it, or what it is a part of."""
    if not isinstance(updated, str) or not isinstance(kept, str):
        return True
    from .listening.changes import lies_at

    return lies_at(updated, kept) or lies_at(kept, updated)


def _written(value: object) -> bytes:
    from pydantic_core import to_json

    return to_json(value)


def _read(text: bytes) -> JsonObject:
    from jiter import from_json

    found: JsonObject = from_json(text)
    return found
