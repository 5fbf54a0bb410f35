"""The short way: requests that are simple and have come whole are answered past ASGI.

uvicorn serves the sockets and reads whatever is not simple; its protocol, whichever it is, stands behind this one. A
request that `heads` can read gets a wire of its own instead, without scope, queue or task; if its answer needs none,
all of it happens while its bytes are being received, and head and body leave in one write. The answers are the same
byte for byte. Below: `app`, `heads`, `uvicorn`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from mcport.session.loop import Promise

from .app import HttpApp
from .heads import Head, Heads
from .residence import Residence
from .watch import Watch
from .wire import GONE, JSON_HEADERS, Left, RawHeaders, Wire

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol
else:
    Protocol = object

log: Final = logging.getLogger("mcport.http")

HELD_BYTES: Final = 64 * 1024
"""So large a request is waited for that comes in several pieces; larger ones are uvicorn's."""

HELD_SECONDS: Final = 0.1
"""So long it is waited for; then uvicorn does, which can wait for many."""

_STATUS: Final[dict[int, bytes]] = {each: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_BROKEN: Final[RawHeaders] = [(b"content-type", b"text/plain; charset=utf-8")]


class Short:
    """What the connections of one server share: its app, and the app's residence once it runs."""

    residence: Residence

    def __init__(self, app: HttpApp) -> None:
        self.app = app
        self.heads = Heads(app.path, app.limits.message_bytes)
        self._fields: RawHeaders | None = None
        self._usual = b""

    def usual(self, fields: RawHeaders) -> bytes:
        """Return how nearly all answers begin, up to the length. `fields` are new once a second (the date)."""
        if fields is not self._fields:
            self._fields = fields
            self._usual = _first_lines(200, [*fields, *JSON_HEADERS]) + b"content-length: "
        return self._usual


class DirectWire(Wire):
    """A request that came the short way; to uvicorn the `cycle` of its connection, which it looks at and tells."""

    def __init__(self, connection: Direct, head: Head, body: bytes) -> None:
        super().__init__(head.headers, None, body)
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False
        self.judged = head.judged
        self._connection = connection
        self._head = head
        self._begun = False
        self._left: Left | None = None

    def all_of(self, name: str) -> Sequence[str]:
        value = self.headers.get(name)
        return () if value is None else (value,)

    async def piece(self) -> tuple[bytes, bool]:
        return self.body or b"", False

    def let_in(self) -> None:
        self._head.judged = True

    async def serve(self, short: Short) -> None:
        """Have the request answered, whatever happens."""
        try:
            await short.app.posted(self, short.residence)
        except Exception:
            log.exception("a request over HTTP failed")
        finally:
            if not self.response_complete and not self.disconnected:
                self._fail()

    # ---- the answer

    async def answer(self, status: int, body: bytes = b"", fields: RawHeaders | None = None) -> None:
        connection = self._connection
        if connection.flow.write_paused:
            await self._drained()
        if self.disconnected:
            return
        if status == 200 and fields is None and self.keep_alive:
            head = connection.short.usual(connection.server_state.default_headers)
        else:
            head = self._first_lines(status, fields or (JSON_HEADERS if body else [])) + b"content-length: "
        connection.transport.write(b"".join((head, b"%d\r\n" % len(body), self._close, b"\r\n", body)))
        self._complete()

    async def begin(self, fields: RawHeaders) -> None:
        self._begun = True
        head = self._first_lines(200, fields)
        await self._write(b"".join((head, self._close, b"transfer-encoding: chunked\r\n\r\n")))

    async def write(self, data: bytes) -> None:
        await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        await self._write(b"0\r\n\r\n")
        if not self.disconnected:
            self._complete()

    async def _write(self, data: bytes) -> None:
        if self._connection.flow.write_paused:
            await self._drained()
        if not self.disconnected:
            self._connection.transport.write(data)

    async def _drained(self) -> None:
        """Wait while the client is too slow."""
        await self.may_wait()
        await self._connection.flow.drain()

    def _first_lines(self, status: int, fields: RawHeaders) -> bytes:
        return _first_lines(status, [*self._connection.server_state.default_headers, *fields])

    @property
    def _close(self) -> bytes:
        return b"" if self.keep_alive else b"connection: close\r\n"

    def _fail(self) -> None:
        """There is no answer, and no way to say so but that."""
        connection, self.keep_alive = self._connection, False
        if not self._begun:
            text = b"Internal Server Error"
            head = self._first_lines(500, _BROKEN)
            connection.transport.write(b"%bcontent-length: %d\r\n%b\r\n%b" % (head, len(text), self._close, text))
        self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.body = self._left = None
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.answered()

    # ---- the client leaves

    def heed(self, left: Left, watch: Watch) -> None:
        self._left = left

    def unheed(self) -> None:
        self._left = None

    async def left(self) -> None:
        if not self.disconnected:
            gone: Promise[None] = self._connection.short.residence.loop.promise()
            self._left = lambda reason: None if gone.done() else gone.set_result(None)
            await gone

    @property
    def message_event(self) -> DirectWire:
        """What uvicorn tells of its connection's end."""
        return self

    def set(self) -> None:
        """Something happened: the client is gone, if it is that."""
        if self.disconnected and self._left is not None:
            self._left(GONE)


class Direct(Protocol):
    """A connection: takes what it can as long as uvicorn's protocol stands between requests, and hands on the rest."""

    short: Short
    cycle: Any
    """The latest request: a `DirectWire`, or uvicorn's own."""
    stands_between: bool
    """Whether uvicorn's parser has read all of the requests that it was given."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._held = b""
        self._awaited: Head | None = None
        self._holding: asyncio.TimerHandle | None = None
        self._is_theirs = False
        self._idle_since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if self._is_busy:
            self._held = data  # who asks more before the answer has come waits for it
            self.flow.pause_reading()
        elif not self._is_ours or not self._take(data):
            self._hand_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_holding()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server is going (uvicorn's own hook): what is under way is answered."""
        if self._holding is not None:
            self._let_go()
        super().shutdown()

    def answered(self) -> None:
        """A request that came the short way has its answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._ring_after(self.timeout_keep_alive)
        if self._held:
            self.flow.resume_reading()
            self.loop.call_soon(self._go_on)

    def timeout_keep_alive_handler(self) -> None:
        """Ring again, unless nothing was asked in all this time: one timer does for many requests."""
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._is_busy:
            return
        if left > 0:
            self._ring_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _ring_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    @property
    def _is_busy(self) -> bool:
        return type(self.cycle) is DirectWire and not self.cycle.response_complete

    @property
    def _is_ours(self) -> bool:
        """Whether a request may begin here: nothing of what uvicorn was given is still to be read or answered."""
        if self._is_theirs and (self.cycle is None or self.cycle.response_complete) and self.stands_between:
            self._is_theirs = False
        return not self._is_theirs

    # ---- what comes

    def _take(self, data: bytes) -> bool:
        """Take a request if it is simple; return whether it is."""
        head = self._awaited or self.short.heads.read(data)
        if head is None or self._is_crowded:
            return False
        size = head.size + head.length
        if len(data) == size:
            self._stop_holding()
            self._begin(head, data[head.size :])
        elif len(data) < size <= HELD_BYTES:
            self._hold(data, head)
        else:
            return False
        return True

    @property
    def _is_crowded(self) -> bool:
        """Whether there is too much to do already (uvicorn's own measure, which refuses it as well)."""
        most = self.limit_concurrency
        return most is not None and (len(self.connections) >= most or len(self.tasks) >= most)

    def _begin(self, head: Head, body: bytes) -> None:
        """Answer a request, in a task if it needs one."""
        short = self.short
        wire = self.cycle = DirectWire(self, head, body)
        wire.taskless = True
        run = wire.serve(short)
        if not short.residence.loop.begin(run):
            wire.taskless = False
            task: Any = short.residence.loop.spawn_now(run)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _hold(self, data: bytes, head: Head) -> None:
        """Wait for the rest of a body, which most clients send by itself: not any longer if it comes bit by bit."""
        self._held, self._awaited = data, head
        if self._holding is None:
            self._unset_keepalive_if_required()
            self._holding = self.loop.call_later(HELD_SECONDS, self._let_go)

    def _let_go(self) -> None:
        data, self._held = self._held, b""
        self._hand_on(data)

    def _stop_holding(self) -> None:
        self._held, self._awaited = b"", None
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    def _go_on(self) -> None:
        if self._held and self._holding is None and not self.transport.is_closing():
            self.data_received(b"")

    def _hand_on(self, data: bytes) -> None:
        self._stop_holding()
        self._is_theirs = True
        super().data_received(data)


def _first_lines(status: int, fields: RawHeaders) -> bytes:
    """Return the first lines of an answer."""
    return _STATUS[status] + b"".join(b"%b: %b\r\n" % field for field in fields)
