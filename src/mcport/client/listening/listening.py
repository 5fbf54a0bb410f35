"""Listening to a server: the iterator over its changes that a user holds.

It opens when it is entered or first asked, and ends when it is left, closed or forgotten. Below: `subscriptions`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Final, Self

import anyio

from mcport.client.timing import Patience
from mcport.errors import ConnectionLost

from .changes import Change, Wanted, read_change
from .feed import WAITING, Feed
from .subscriptions import Stream, Subscriptions

log: Final = logging.getLogger("mcport.client")


class Changes:
    """An asynchronous iterator over what changes at a server, from `client.listen(...)`.

        async with client.listen(tools=True, uris=["notes://today"]) as changes:
            async for change in changes:

    Entering it waits until the server listens to the request; without `async with` the first step of the loop does. Of
    changes that come faster than they are taken, equal ones become one. The loop ends when the server ends the
    subscription in good order; `ConnectionLost` comes out of it when the connection is lost, by whichever side. Going
    on after that, once the client is connected again, subscribes anew, and tells of everything that may have changed
    meanwhile; with `restart` going on starts the server again. Over HTTP a stream that breaks off, or is ended by a
    server that is replaced, is begun anew behind the loop: `ConnectionLost` comes after several tries in a row.
    """

    def __init__(
        self, source: Callable[[Patience], Awaitable[Subscriptions]], wanted: Wanted, patience: Patience
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._patience = patience
        self._subscriptions: Subscriptions | None = None
        self._stream: Stream | None = None
        self._feed: Feed | None = None
        self._closed = False
        self._opening: anyio.CancelScope | None = None
        self._turn: anyio.Lock | None = None

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._stream is not None else "not open"
        return f"<Changes of {self._wanted}, {state}>"

    @property
    def honoured(self) -> Wanted:
        """What the server will tell of what was asked for; nothing before it was entered."""
        return self._stream.honoured if self._stream is not None else Wanted()

    @property
    def missing(self) -> Wanted:
        """What was asked for and the server will not tell; false if it tells everything."""
        return self._wanted.without(self.honoured)

    async def __aenter__(self) -> Self:
        if self._feed is not None or self._closed:
            raise RuntimeError(f"{self!r} can be entered once")
        await self._opened_once()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        if self._closed:
            raise StopAsyncIteration
        feed = self._feed or await self._opened_once()
        try:
            return await feed.next()
        except ConnectionLost:
            self._feed = None
            raise

    async def aclose(self) -> None:
        """Listen no more; the server is told. Safe to call twice. Whoever iterates comes to the end."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        stream, self._stream = self._stream, None
        if self._feed is not None:
            self._feed.end()
        if stream is not None:
            await stream.aclose()

    async def _opened_once(self) -> Feed:
        """Open it for the first of those who iterate side by side; the others come to the same feed."""
        if self._turn is None:
            self._turn = anyio.Lock()
        async with self._turn:
            return self._feed or await self._open()

    async def _open(self) -> Feed:
        feed = Feed(max(WAITING, 3 + len(self._wanted.uris)))
        with anyio.CancelScope() as self._opening:
            if not self._closed:
                await self._listen(feed)
        self._opening = None
        if self._closed:
            feed.end()
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.drop()
        return feed

    async def _listen(self, feed: Feed) -> None:
        again = self._subscriptions is not None
        subscriptions = await self._source(self._patience)
        if self._stream is not None:
            self._stream.drop()
        self._stream = await subscriptions.open(self._wanted, feed, self._patience)
        self._subscriptions, self._feed = subscriptions, feed
        if again:
            for told in self._wanted.news():
                feed.put(read_change(told.method, told.params))
                subscriptions.connection.hear(told)
        if self.missing:
            log.warning("server '%s' will not tell of %s", subscriptions.connection.server, self.missing)

    def __del__(self) -> None:
        """Listen no more, once nobody can hear: a loop that was left early without `async with`."""
        stream = getattr(self, "_stream", None)
        if stream is not None and self._subscriptions is not None:
            self._subscriptions.loop.soon_from_thread(stream.drop)


def wanted_of(
    tools: bool, prompts: bool, resources: bool, uris: Iterable[str], filters: Mapping[str, object] | None
) -> Wanted:
    """Return what somebody wants to hear; raises ValueError, in one line, for what cannot be meant."""
    if isinstance(uris, str):
        raise ValueError(f"uris is a list of URIs, not one string: uris=[{uris!r}]")
    wanted = Wanted(bool(tools), bool(prompts), bool(resources), tuple(dict.fromkeys(uris)), dict(filters or {}))
    if not wanted:
        raise ValueError("listen() needs to know to what: tools=True, prompts=True, resources=True or uris=[...]")
    return wanted
