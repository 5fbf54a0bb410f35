"""A list that clients page through: tools, resources, templates, prompts.

Entries keep the order in which they were added. A page is built once and then stays as it is until the list changes;
its cursor names the last entry before it and is opaque to clients (server/utilities/pagination). Below: `envelope`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.envelope import Fixed
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InvalidParams
from mcport.session.exchange import Exchange
from mcport.spec.model import Model

EntryT = TypeVar("EntryT", bound="Entry")


class Entry(Protocol):
    """Something that can be listed: it has a key, and shows itself as a model of the facade."""

    @property
    def key(self) -> str: ...

    def shown(self) -> Model: ...


class Listing(Generic[EntryT]):
    """Entries by key, and the pages that show them.

    `page` makes the result of one page from the shown entries and the next cursor. `size` bounds a page, None puts all
    on one. `changed` is called after every change.
    """

    def __init__(
        self,
        kind: str,
        page: Callable[[list[Model], str | None], Model],
        size: int | None,
        changed: Callable[[], None],
    ) -> None:
        self._kind = kind
        self._page = page
        self._size = size
        self._changed = changed
        self._entries: dict[str, EntryT] = {}
        self._pages: dict[str | None, Fixed] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[EntryT]:
        return iter(self._entries.values())

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: object) -> EntryT | None:
        """Return the entry of this key, if there is one; a key that is no string names none."""
        return self._entries.get(key) if type(key) is str else None

    def keys(self) -> list[str]:
        """Return all keys in order."""
        return list(self._entries)

    def add(self, entry: EntryT) -> None:
        """Add an entry at the end. Raises ValueError if its key is taken."""
        if entry.key in self._entries:
            raise ValueError(f"the {self._kind} {entry.key!r} is there already")
        self._entries[entry.key] = entry
        self._touched()

    def remove(self, key: str) -> None:
        """Take an entry away. Raises KeyError if there is none of that key."""
        del self._entries[key]
        self._touched()

    def _touched(self) -> None:
        self._pages.clear()
        self._changed()

    async def answer(self, exchange: Exchange, admitted: Admitted) -> Fixed:
        """Serve the list method: the page that the cursor names, the first without one."""
        cursor = exchange.asked.params.get("cursor")
        page = self._pages.get(cursor) if cursor is None or type(cursor) is str else None
        return page if page is not None else self._build(exchange.asked.params)

    def _build(self, params: JsonObject) -> Fixed:
        cursor = params.get("cursor")
        start = 0 if cursor is None else self._position(cursor)
        end = len(self._entries) if self._size is None else min(start + self._size, len(self._entries))
        keys = list(self._entries)
        following = write_cursor(keys[end - 1]) if end < len(keys) else None
        fixed = Fixed(self._page([self._entries[key].shown() for key in keys[start:end]], following))
        self._pages[cursor] = fixed
        return fixed

    def _position(self, cursor: object) -> int:
        """Return where the page after a cursor begins; raises `InvalidParams` for a cursor that is not of this list."""
        key = read_cursor(cursor)
        if key is None or key not in self._entries:
            raise InvalidParams(f"the cursor is not one of this list of {self._kind}s")
        return list(self._entries).index(key) + 1


def write_cursor(key: str) -> str:
    """Return the opaque cursor of the page after an entry."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_cursor(cursor: object) -> str | None:
    """Return the key in a cursor, None if it is no cursor of ours."""
    if type(cursor) is not str or len(cursor) > 2048:
        return None
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return key if write_cursor(key) == cursor else None
