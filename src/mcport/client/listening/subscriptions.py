"""What one connection is subscribed to, and who hears of it: the two ways in which servers tell of changes.

Handshake: list changes come unasked, updates of a resource after `resources/subscribe`, which listeners share.
Stateless: each listener has a request of its own that stays open, and what comes for it bears its id. Below:
`listen_stream`, `connection`, `feed`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import anyio

from mcport.client.connection import Connection
from mcport.client.timing import Patience
from mcport.core.dialects.contract import META_SUBSCRIPTION
from mcport.core.events import Told
from mcport.core.jsonrpc import Id
from mcport.core.peer import CANCELLED
from mcport.errors import ConversationError, NotDeclared
from mcport.session.loop import Loop

from .changes import Wanted, read_change
from .feed import Feed
from .listen_stream import ListenRequest, ListenStream

log: Final = logging.getLogger("mcport.client")

SUBSCRIBE: Final = "resources/subscribe"
UNSUBSCRIBE: Final = "resources/unsubscribe"

LEAVING_SECONDS: Final = 5.0
"""How long a server may take to hear that nobody listens any more."""


class Stream(Protocol):
    """An open listening. `honoured` is what the server will tell of what was wanted."""

    honoured: Wanted

    def drop(self) -> None:
        """End it from this side, without waiting."""
        ...

    async def aclose(self) -> None:
        """End it from this side, and wait until the server knows, a few seconds at most."""
        ...


class Subscriptions:
    """All listeners of one connection."""

    def __init__(self, connection: Connection, loop: Loop) -> None:
        self.connection = connection
        self.loop = loop
        self.feeds: dict[Feed, Wanted] = {}
        self.streams: dict[Id, ListenRequest] = {}
        self.counts: Counter[str] = Counter()
        self._turns: dict[str, anyio.Lock] = {}
        connection.hearers.append(self._hear)
        connection.enders.append(self._ended)
        connection.renewers.append(self._renewed)
        connection.missers.append(self._missed)
        connection.deafeners.append(self._ended)

    async def open(self, wanted: Wanted, feed: Feed, patience: Patience) -> Stream:
        """Begin to listen: changes go into the feed.

        Raises `NotDeclared` for what the server did not declare, before anything is sent, and the errors of a request.
        """
        connection = self.connection
        assert connection.speaker is not None
        by_stream = connection.speaker.revision.has_subscription_streams
        self._check(wanted, by_stream=by_stream)
        if connection.over:
            raise connection.lost("listening", connection.link.over or "")
        stream: ListenStream | SharedStream
        if by_stream:
            stream = ListenStream(connection, self.streams, wanted, feed)
        else:
            stream = SharedStream(self, wanted, feed)
            await connection.hears(patience)
        await stream.open(patience)
        return stream

    def _check(self, wanted: Wanted, *, by_stream: bool) -> None:
        speaker = self.connection.speaker
        assert speaker is not None
        if wanted.filters and not by_stream:
            names = ", ".join(wanted.filters)
            raise NotDeclared(f"listening to {names} is not part of protocol version {speaker.revision.name}")
        for capability in wanted.capabilities():
            speaker.demand("listening", capability, self.connection.declared)

    # ---- subscriptions to a resource, shared by those who listen to it

    async def subscribe(self, uri: str, patience: Patience) -> None:
        """Have the server tell of updates of a resource, if it does not do so already."""
        async with self._turn(uri):
            if not self.counts[uri]:
                await self.connection.ask(SUBSCRIBE, {"uri": uri}, patience)
            self.counts[uri] += 1

    async def unsubscribe(self, uri: str) -> None:
        """One listener less; the last one has the server tell no more. Failures are logged: nobody can mend them."""
        async with self._turn(uri):
            self.counts[uri] -= 1
            if self.counts[uri]:
                return
            del self.counts[uri]
            if self.connection.over:
                return
            try:
                await self.connection.ask(UNSUBSCRIBE, {"uri": uri}, Patience(LEAVING_SECONDS, LEAVING_SECONDS))
            except ConversationError as error:
                log.info("%s", error)

    @asynccontextmanager
    async def _turn(self, uri: str) -> AsyncIterator[None]:
        """One after the other: who comes while another one subscribes to a resource waits for the server's answer."""
        turn = self._turns.setdefault(uri, anyio.Lock())
        try:
            async with turn:
                yield
        finally:
            if uri not in self.counts and not turn.locked():
                self._turns.pop(uri, None)

    # ---- what comes

    def _hear(self, told: Told) -> None:
        if self.streams:
            self._hear_stream(told)
        elif self.feeds:
            change = read_change(told.method, told.params)
            for feed, wanted in self.feeds.items():
                if wanted.covers(change):
                    feed.put(change)

    def _hear_stream(self, told: Told) -> None:
        if told.method == CANCELLED:
            stream = self._stream(told.params.get("requestId"))
            if stream is not None:
                stream.cancelled()
            return
        meta = told.params.get("_meta")
        stream = self._stream(meta.get(META_SUBSCRIPTION)) if type(meta) is dict else None
        if stream is not None:
            stream.hear(told)

    def _stream(self, id: object) -> ListenRequest | None:
        """Return the listening with an id of this JSON type: "1", 1.0 and true are not 1."""
        return self.streams.get(id) if type(id) is int else None

    def _renewed(self) -> None:
        self.loop.keep(self._begin_anew())

    async def _begin_anew(self) -> None:
        """The server has forgotten what was subscribed to: say it again, and tell of all that may have changed."""
        for uri in tuple(self.counts):
            try:
                await self.connection.ask(SUBSCRIBE, {"uri": uri}, Patience(LEAVING_SECONDS, LEAVING_SECONDS))
            except ConversationError as error:
                log.warning("the subscription to a resource could not be said again: %s", error)
        self._missed()

    def _missed(self) -> None:
        """Tell the listeners, and whoever keeps results, of all that may have changed unheard."""
        for wanted in tuple(self.feeds.values()):
            for told in wanted.news():
                self.connection.hear(told)

    def _ended(self, reason: str) -> None:
        for feed in self.feeds:
            feed.end(lambda: self.connection.lost("listening", reason))
        self.feeds.clear()


class SharedStream:
    """A listening of the handshake era: a feed among those that hear what the connection brings."""

    def __init__(self, all: Subscriptions, wanted: Wanted, feed: Feed) -> None:
        self.honoured = wanted
        self._all = all
        self._feed = feed
        self._subscribed: list[str] = []

    async def open(self, patience: Patience) -> None:
        """Subscribe to each resource; what comes from then on is heard."""
        self._all.feeds[self._feed] = self.honoured
        try:
            for uri in self.honoured.uris:
                await self._all.subscribe(uri, patience)
                self._subscribed.append(uri)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        self._all.feeds.pop(self._feed, None)
        if self._subscribed and not self._all.connection.over:
            self._all.loop.keep(self._leave())

    async def aclose(self) -> None:
        self._all.feeds.pop(self._feed, None)
        with anyio.move_on_after(LEAVING_SECONDS, shield=True):
            await self._leave()

    async def _leave(self) -> None:
        subscribed, self._subscribed = self._subscribed, []
        for uri in subscribed:
            await self._all.unsubscribe(uri)
