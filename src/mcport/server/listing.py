"""A list that clients page through: tools, resources, templates, prompts.

Entries keep the order in which they were added. A page is built once and then stays as it is until the list changes;
its cursor stands for the last entry before it, and clients read nothing from it (server/utilities/pagination). Below:
`envelope`.
"""

from __future__ import annotations

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
        self._after: dict[str, int] | None = None

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
        self._after = None
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
        if start == 0 or (self._size is not None and start % self._size == 0):
            # Pages that begin elsewhere, after a list has changed under a client, are not worth keeping.
            self._pages[cursor] = fixed
        return fixed

    def _position(self, cursor: object) -> int:
        """Return where the page after a cursor begins; raises `InvalidParams` for a cursor that is not of this list."""
        if self._after is None:
            self._after = {write_cursor(key): index for index, key in enumerate(self._entries, start=1)}
        start = self._after.get(cursor) if type(cursor) is str else None
        if start is None:
            raise InvalidParams(f"the cursor is not one of this list of {self._kind}s")
        return start


def write_cursor(key: str) -> str:
    """Return the cursor of the page after an entry: a short word from which nobody reads anything."""
    import hashlib  # only lists of several pages need it

    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=12).hexdigest()
