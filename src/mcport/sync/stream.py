"""An iterator over something that arrives asynchronously.

How a coroutine is run is handed in. Below: the client's changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from mcport.client.listening.changes import Change, Wanted

ItemT = TypeVar("ItemT")

_END: Any = object()


class Stream(Generic[ItemT]):
    """Iterates item by item, each fetched when it is asked for; `next()` blocks until there is one.

    Where the stream is open until it is closed, such as what a server tells of its changes, use it in a `with`.
    Interrupting a wait loses nothing: the next one goes on.
    """

    def __init__(self, source: Any, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._source = source
        self._run = run
        self._items: AsyncIterator[ItemT] | None = None

    def __enter__(self) -> Self:
        enter = getattr(self._source, "__aenter__", None)
        if enter is not None:
            self._items = aiter(self._run(enter))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for no more; whoever iterates, in any thread, comes to the end. Safe to call twice."""
        leave = getattr(self._source, "aclose", None)
        if leave is not None:
            self._run(leave)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ItemT:
        item = self._run(self._next)
        if item is _END:
            raise StopIteration
        found: ItemT = item
        return found

    async def _next(self) -> ItemT:
        if self._items is None:
            self._items = aiter(self._source)
        return await anext(self._items, _END)


class Changes(Stream[Change]):
    """What changes at a server, one change after the other, from `client.listen(...)`."""

    @property
    def honoured(self) -> Wanted:
        """What the server will tell of what was asked for; nothing before it was entered."""
        honoured: Wanted = self._source.honoured
        return honoured

    @property
    def missing(self) -> Wanted:
        """What was asked for and the server will not tell; false if it tells everything."""
        missing: Wanted = self._source.missing
        return missing
