"""A listening of the stateless era: a request that stays open, and what comes under its id.

(2026-07-28 basic/patterns/subscriptions.) Over HTTP each has a connection of its own, which may break off while the
conversation goes on. Then another request takes its place, a bounded number of times and at the contact's pace; what
may have changed meanwhile is told, to the listener and to whoever keeps results. Below: `connection`, `feed`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, TypeAlias

import anyio

from mcport.client.connection import Connection
from mcport.client.timing import Patience
from mcport.core.dialects.contract import RESOURCE_UPDATED
from mcport.core.events import Call, Progressed, Told
from mcport.core.jsonrpc import Id, JsonObject, Response
from mcport.errors import ConnectionLost, ConversationError, HttpRefused, Timeout
from mcport.session.link import failure_of
from mcport.session.waiting import Arrived

from .changes import Wanted, read_change
from .feed import Feed

log: Final = logging.getLogger("mcport.client")

LISTEN: Final = "subscriptions/listen"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"

STEADY_SECONDS: Final = 5.0
"""A request that was open as long was a good one, even if nothing came for it."""

Fails: TypeAlias = Callable[[], ConversationError]
"""Makes the error that says why a listening is over; late, when more is known of a server that has died."""


class Listener(Protocol):
    """Whom a listening request is for."""

    def hear(self, told: Told) -> None:
        """Take what came under the id of the request."""
        ...

    def ended(self, fails: Fails | None, *, for_good: bool) -> None:
        """The request was open and is over: in good order, if it did not fail."""
        ...


class ListenRequest:
    """One request (a `Waiter`), found among the `open` ones by its id while it is open."""

    def __init__(self, connection: Connection, open: dict[Id, ListenRequest], listener: Listener) -> None:
        self._connection = connection
        self._open = open
        self._listener = listener
        self._begun = anyio.Event()
        self._honoured: JsonObject = {}
        self._refused: Fails | None = None
        self._call: Call | None = None

    async def begin(self, wanted: Wanted, patience: Patience) -> Wanted:
        """Send it, wait until the server says what it will tell, and return that. Raises the errors of a request."""
        params: JsonObject = {"notifications": wanted.to_wire()}
        call = self._call = self._connection.open_stream(LISTEN, params, self)
        self._open[call.id] = self
        try:
            with anyio.move_on_after(patience.silent) as scope:
                await self._begun.wait()
        except BaseException:
            self.close()
            raise
        if not self._begun.is_set() and scope.cancelled_caught:
            self.close()
            raise self._unacknowledged(patience.silent or 0)
        if self._refused is not None:
            raise self._refused()
        return wanted.honoured_by(self._honoured)

    def hear(self, told: Told) -> None:
        """Take a notification that came under the id of this request."""
        if told.method == ACKNOWLEDGED:
            said = told.params.get("notifications")
            self._honoured = said if type(said) is dict else {}
            self._begun.set()
        else:
            self._listener.hear(told)

    def close(self, *, tell: bool = True) -> None:
        """End it from this side, or only forget it where the server ended it."""
        call, self._call = self._call, None
        if call is not None:
            self._open.pop(call.id, None)
            self._connection.close_stream(call, tell=tell)

    def cancelled(self) -> None:
        """The server ended it by a cancellation (2026-07-28 basic/patterns/cancellation)."""
        self._finish(None)

    # ---- what settles the request

    def settle(self, answer: Arrived) -> None:
        """The server ended it by an answer, or never opened it."""
        if isinstance(answer, Response):
            self._finish(None)
            return
        error = failure_of(answer, LISTEN, LISTEN, self._connection.server, self._connection.lost)
        self._finish(lambda: error, for_good=True)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self._finish(partial(self._connection.lost, LISTEN, reason))

    def progressed(self, event: Progressed) -> None:
        """Nobody asked for progress."""

    def _finish(self, fails: Fails | None, *, for_good: bool = False) -> None:
        self.close(tell=False)
        if fails is None or self._begun.is_set():
            self._listener.ended(fails, for_good=for_good)
        else:
            self._refused = fails
        self._begun.set()

    def _unacknowledged(self, seconds: float) -> Timeout:
        server, cause = self._connection.server, f"not acknowledged within {seconds:g} s"
        return Timeout(f"{LISTEN} on server '{server}': {cause}", server=server, phase=LISTEN, cause=cause)


class ListenStream:
    """A listening, over as many requests as it takes. `honoured` is what the server will tell of what was wanted."""

    def __init__(self, connection: Connection, open: dict[Id, ListenRequest], wanted: Wanted, feed: Feed) -> None:
        self.honoured = Wanted()
        self._connection = connection
        self._open = open
        self._wanted = wanted
        self._feed = feed
        self._patience = Patience(None, None)
        self._request: ListenRequest | None = None
        self._since = 0.0
        self._came = False
        self._tries = 0
        self._scope: anyio.CancelScope | None = None

    async def open(self, patience: Patience) -> None:
        """Send the request and wait until the server says what it will tell."""
        self._patience = patience
        self._came, self._since = False, self._connection.loop.time()
        self._request = ListenRequest(self._connection, self._open, self)
        self.honoured = await self._request.begin(self._wanted, patience)

    def drop(self) -> None:
        """End it from this side: the server is told by a cancellation."""
        if self._scope is not None:
            self._scope.cancel()
        if self._request is not None:
            self._request.close()

    async def aclose(self) -> None:
        self.drop()

    # ---- what comes of a request

    def hear(self, told: Told) -> None:
        """Take a notification that came for this listening."""
        self._came = True
        change = read_change(told.method, told.params)
        if (told.method == RESOURCE_UPDATED and self._wanted.uris) or self._wanted.covers(change):
            self._feed.put(change)
        else:
            log.debug("nobody asked for %s", told.method)

    def ended(self, fails: Fails | None, *, for_good: bool) -> None:
        """A request is over. Over HTTP that is not the end, unless the server has said so twice.

        A server that is replaced ends its streams in good order, and so does one that wants nobody to listen.
        """
        connection = self._connection
        if self._came or connection.loop.time() - self._since >= STEADY_SECONDS:
            self._tries = 0
        said_twice = fails is None and self._tries > 0
        if for_good or said_twice or connection.pace is None or connection.over:
            self._feed.end(fails)
            return
        self._scope = connection.loop.scope()
        connection.enders.append(self._lose)
        connection.loop.keep(self._return(self._scope, fails))

    # ---- coming back

    async def _return(self, scope: anyio.CancelScope, fails: Fails | None) -> None:
        try:
            with scope:
                await self._come_back("the server ended the stream" if fails is None else fails().cause or "")
        except ConversationError as error:
            failed = error
            self._feed.end(lambda: failed)
        except Exception as error:
            log.exception("listening again failed")
            self._lose(f"listening again failed: {type(error).__name__}: {error}")
        finally:
            self._connection.enders.remove(self._lose)
            if self._scope is scope:
                self._scope = None

    async def _come_back(self, cause: str) -> None:
        """Listen again as soon as that is possible. Raises `ConnectionLost` when it was tried too often."""
        pace, wished = self._connection.pace, None
        assert pace is not None
        log.info("server '%s': %s, listening again", self._connection.server, cause)
        while self._tries < pace.most:
            await anyio.sleep(pace.before(self._tries, wished))
            self._tries += 1
            try:
                await self.open(self._patience)
            except (ConnectionLost, Timeout, HttpRefused) as error:
                if isinstance(error, HttpRefused) and not may_pass(error.status):
                    raise
                cause, wished = error.cause or "", getattr(error, "retry_after", None)
            else:
                self._tell_all()
                return
        raise self._connection.lost(LISTEN, f"{cause} (listened again {self._tries} times in vain)")

    def _tell_all(self) -> None:
        """Tell of everything that may have changed while nobody listened."""
        for told in self._wanted.news():
            self._feed.put(read_change(told.method, told.params))
            self._connection.hear(told)

    def _lose(self, reason: str) -> None:
        """The conversation is over, for all who are in it."""
        self.drop()
        self._feed.end(lambda: self._connection.lost(LISTEN, reason))


def may_pass(status: int) -> bool:
    """Whether an HTTP status says no more than that a server cannot answer now."""
    return status >= 500 or status == 429
