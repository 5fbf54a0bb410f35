"""What one connection is subscribed to, and who hears of it: the two ways in which servers tell of changes.

Handshake: list changes come unasked, updates of a resource after `resources/subscribe`, which listeners share.
Stateless: each listener has a request of its own that stays open (2026-07-28 basic/patterns/subscriptions), and what
comes for it bears its id. Below: `connection`, `feed`.
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
from mcport.core.dialects.contract import META_SUBSCRIPTION, RESOURCE_UPDATED
from mcport.core.events import Call, Progressed, Told
from mcport.core.jsonrpc import Id, JsonObject, Response
from mcport.core.peer import CANCELLED
from mcport.errors import ConversationError, NotDeclared, Timeout
from mcport.session.link import failure_of
from mcport.session.loop import Loop
from mcport.session.waiting import Arrived

from .changes import Wanted, read_change
from .feed import Feed

log: Final = logging.getLogger("mcport.client")

LISTEN: Final = "subscriptions/listen"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
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
        self.streams: dict[Id, ListenStream] = {}
        self.counts: Counter[str] = Counter()
        self._turns: dict[str, anyio.Lock] = {}
        connection.hearers.append(self._hear)
        connection.enders.append(self._ended)
        connection.renewers.append(self._renewed)

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
        stream = ListenStream(self, wanted, feed) if by_stream else SharedStream(self, wanted, feed)
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

    def _stream(self, id: object) -> ListenStream | None:
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
        for feed, wanted in self.feeds.items():
            for change in wanted.changes():
                feed.put(change)

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


class ListenStream:
    """A listening of the stateless era: a request that stays open, and what comes under its id (a `Waiter`)."""

    def __init__(self, all: Subscriptions, wanted: Wanted, feed: Feed) -> None:
        self.honoured = Wanted()
        self._all = all
        self._wanted = wanted
        self._feed = feed
        self._opened = anyio.Event()
        self._failed: ConversationError | None = None
        self._call: Call | None = None
        self._lost: str | None = None

    async def open(self, patience: Patience) -> None:
        """Send the request and wait until the server says what it will tell."""
        connection = self._all.connection
        call = self._call = connection.open_stream(LISTEN, {"notifications": self._wanted.to_wire()}, self)
        self._all.streams[call.id] = self
        try:
            with anyio.move_on_after(patience.silent) as scope:
                await self._opened.wait()
        except BaseException:
            self.drop()
            raise
        if not self._opened.is_set() and scope.cancelled_caught:
            self.drop()
            cause = f"not acknowledged within {patience.silent:g} s"
            line = f"{LISTEN} on server '{connection.server}': {cause}"
            raise Timeout(line, server=connection.server, phase=LISTEN, cause=cause)
        if self._lost is not None:
            raise connection.lost(LISTEN, self._lost)
        if self._failed is not None:
            raise self._failed

    def drop(self) -> None:
        """End it from this side: the server is told by a cancellation."""
        self._close(tell=True)

    async def aclose(self) -> None:
        self.drop()

    def hear(self, told: Told) -> None:
        """Take a notification that came under the id of this stream."""
        if told.method == ACKNOWLEDGED:
            self._acknowledged(told.params)
            return
        change = read_change(told.method, told.params)
        if (told.method == RESOURCE_UPDATED and self._wanted.uris) or self._wanted.covers(change):
            self._feed.put(change)
        else:
            log.debug("nobody asked for %s", told.method)

    def cancelled(self) -> None:
        """The server ended the stream by a cancellation (2026-07-28 basic/patterns/cancellation)."""
        self._close(tell=False)
        self._end()

    # ---- what settles the request

    def settle(self, answer: Arrived) -> None:
        """The server ended the stream by an answer, or never opened it."""
        connection = self._all.connection
        self._close(tell=False)
        if not isinstance(answer, Response):
            self._failed = failure_of(answer, LISTEN, LISTEN, connection.server, connection.lost)
        self._end()

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self._lost = reason
        self._close(tell=False)
        self._opened.set()
        self._feed.end(lambda: self._all.connection.lost(LISTEN, reason))

    def progressed(self, event: Progressed) -> None:
        """Nobody asked for progress."""

    def _acknowledged(self, params: JsonObject) -> None:
        said = params.get("notifications")
        self.honoured = self._wanted.honoured_by(said if type(said) is dict else {})
        self._opened.set()

    def _end(self) -> None:
        failed = self._failed
        self._feed.end(None if failed is None else lambda: failed)
        self._opened.set()

    def _close(self, *, tell: bool) -> None:
        call, self._call = self._call, None
        if call is not None:
            self._all.streams.pop(call.id, None)
            self._all.connection.close_stream(call, tell=tell)
