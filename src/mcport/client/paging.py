"""Walking through a list that a server delivers in pages.

A plain iterator and no async generator, so that whoever leaves the loop early leaves nothing behind that wants to be
closed. It knows no method: who makes it says how a page is fetched. Below: the errors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, Self, TypeAlias, TypeVar

from mcport.errors import InvalidAnswer

ItemT = TypeVar("ItemT")


class StaleCursor(Exception):
    """A cursor from a page that was kept is not good any more: the walk is to begin anew."""


Fetch: TypeAlias = Callable[[str | None], Awaitable[tuple[Iterable[ItemT], str | None]]]
"""Fetches the page at a cursor, the first one at None; returns its items and the cursor of the next one."""


class Walk(Generic[ItemT]):
    """An asynchronous iterator over the items of all pages, each page fetched when it is needed.

    The last page is the one without a cursor; an empty cursor is one (server/utilities/pagination). At most `most`
    pages are fetched, and no cursor is followed twice: `InvalidAnswer` says so. `key` tells items apart: where a walk
    has to begin anew, it gives none a second time (server/utilities/caching).
    """

    def __init__(
        self, fetch: Fetch[ItemT], *, key: Callable[[ItemT], object], server: str, method: str, most: int
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._given: set[object] = set()
        self._items: deque[ItemT] = deque()
        self._cursor: str | None = None
        self._seen: set[str] = set()
        self._more = True
        self._again = False
        self._server = server
        self._method = method
        self._most = most

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        while not self._items:
            if not self._more:
                raise StopAsyncIteration
            await self._turn()
        return self._items.popleft()

    async def _turn(self) -> None:
        try:
            items, cursor = await self._fetch(self._cursor)
        except StaleCursor:
            self._again = True
            self._seen.clear()
            self._cursor = None
            return
        if cursor is None:
            self._more = False
        elif cursor in self._seen:
            raise self._endless(f"it gave the cursor {cursor!r:.80} twice, so the list has no end")
        elif len(self._seen) + 1 >= self._most:
            raise self._endless(f"the list has more than {self._most} pages")
        else:
            self._seen.add(cursor)
            self._cursor = cursor
        for item in items:
            self._take(item)

    def _take(self, item: ItemT) -> None:
        key = self._key(item)
        if key not in self._given or not self._again:
            self._items.append(item)
            self._given.add(key)

    def _endless(self, cause: str) -> InvalidAnswer:
        self._more = False
        line = f"{self._method} on server '{self._server}': {cause}"
        return InvalidAnswer(line, server=self._server, phase=self._method, cause=cause)
