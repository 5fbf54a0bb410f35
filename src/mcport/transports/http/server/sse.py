"""The door of HTTP+SSE, the older pair of endpoints: GET hears the server, POST speaks to it.

(2024-11-05 basic/transports.) A connection lives in the worker that serves its stream. What is posted to another worker
is handed on through the port for notices; whether there is such a connection at all, and whose it is, every worker
knows from the port for sessions.

The pair is deprecated since 2025-03-26, and says so: in a header (RFC 9745), and in the log once somebody uses it.
Below: `sse_channel`, `residence`, `stores`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Final
from urllib.parse import parse_qs

import anyio

from mcport.core.jsonrpc import JsonObject, Malformed, decode, dump, parse_json
from mcport.errors import PARSE_ERROR
from mcport.session.exchange import Exchange

from .asgi import AsgiWire, Event, Send
from .residence import Residence
from .service import Busy, Service
from .sharing import Sharing, reached
from .sse_channel import SseChannel
from .wire import Refused, error_body

log: Final = logging.getLogger("mcport.http")

STREAM_PATH: Final = "/sse"
POST_PATH: Final = "/messages"

LONGEST_ID: Final = 100

DEPRECATION: Final = (b"deprecation", b"@1742947200")
"""Since when the pair is deprecated: 2025-03-26."""


class SseDoor:
    """Serves the connections of one app."""

    def __init__(self, service: Service, sharing: Sharing) -> None:
        self._service = service
        self._sharing = sharing
        self._is_used = False

    async def get(self, wire: AsgiWire, residence: Residence) -> None:
        """Serve a new connection until its client is gone. Raises `Refused` where there are too many."""
        self._note_use(wire)
        id, came = secrets.token_urlsafe(32), _Came(wire)
        if not await reached(self._sharing.sessions.create(_key(id), came.record, self._sharing.idle_seconds)):
            raise Refused(503, "there are too many sessions already; try again later", {"retry-after": "30"})
        endpoint = f"{wire.scope.get('root_path', '')}{POST_PATH}?session_id={id}"
        channel = SseChannel(endpoint, wire, residence.loop, self._service.limits)
        stream = _Stream(id, channel, residence, self._sharing, wire.principal)
        streams = self._streams(residence)
        streams.open[id] = channel
        residence.turns.add(stream)
        residence.loop.keep(channel.watch())
        try:
            await self._service.serve(channel, residence.loop, connected=stream.connected, mark=came.mark)
        finally:
            residence.done(stream)
            del streams.open[id]
            with anyio.CancelScope(shield=True):
                await self._sharing.sessions.drop(_key(id))

    async def post(self, wire: AsgiWire, body: bytes, residence: Residence) -> None:
        """Take what was posted; it is answered on the stream.

        Raises `Refused`: 400 where no connection is named, 404 where there is none any more, or it is somebody else's.
        """
        wire.send = _deprecated(wire.send)
        id = parse_qs(wire.scope["query_string"].decode("latin-1")).get("session_id", [""])[0]
        if not id:
            raise Refused(400, f"session_id is missing; GET {STREAM_PATH} tells where to post")
        known = await reached(self._sharing.sessions.get(_key(id))) if len(id) <= LONGEST_ID else None
        if known != _record(wire.principal):
            raise Refused(404, f"there is no such session any more; begin a new one with GET {STREAM_PATH}")
        message = decode(body)
        if type(message) is Malformed and message.code == PARSE_ERROR:
            await wire.answer(400, error_body(None, message.code, message.reason))
            return
        self._service.check(wire.principal, message)
        self._streams(residence).take(id, body)
        await wire.answer(202)

    def _note_use(self, wire: AsgiWire) -> None:
        """Say that this way is deprecated: to the client, and once in the log."""
        wire.send = _deprecated(wire.send)
        if not self._is_used:
            self._is_used = True
            log.info("a client uses %s, which is deprecated (asgi(sse=False) turns it off)", STREAM_PATH)

    def _streams(self, residence: Residence) -> _Streams:
        streams = residence.rooms.get(self)
        if streams is None:
            streams = residence.rooms[self] = _Streams(residence, self._sharing)
        assert isinstance(streams, _Streams)
        return streams


class _Streams:
    """The connections of one app in one loop, and the post of those of other workers."""

    def __init__(self, residence: Residence, sharing: Sharing) -> None:
        self.open: dict[str, SseChannel] = {}
        self._residence = residence
        self._notices = sharing.notices
        residence.endings.append(sharing.notices.listen(self._heard))

    def take(self, id: str, body: bytes) -> None:
        """Take in a message for a connection, wherever it is served. Raises `Refused` where it cannot be reached."""
        channel = self.open.get(id)
        if channel is not None:
            channel.posted(body)
            return
        try:
            self._notices.publish(dump({"session": id, "posted": body.decode()}))
        except Exception as error:
            log.error("a message cannot be handed on to its connection: %s", type(error).__name__)
            raise Refused(503, "sessions cannot be reached at the moment; try again", {"retry-after": "1"}) from None

    def _heard(self, notice: bytes) -> None:
        """News of any worker, in whatever thread."""
        self._residence.loop.soon_from_thread(lambda: self._read(notice))

    def _read(self, notice: bytes) -> None:
        try:
            news: JsonObject = parse_json(notice)
            channel = self.open.get(news["session"])
            if channel is not None:
                channel.posted(news["posted"].encode())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("news of another worker cannot be read: %r", error)


class _Came:
    """How a connection came: with what headers, and on whose behalf."""

    def __init__(self, wire: AsgiWire) -> None:
        self._headers = wire.headers
        self._principal = wire.principal
        self.record = _record(wire.principal)

    def mark(self, exchange: Exchange) -> None:
        """Say so of a request; what is posted later is of the same principal."""
        exchange.headers, exchange.principal = self._headers, self._principal


class _Stream:
    """A connection as long as it lasts (`residence.Turn`)."""

    def __init__(
        self, id: str, channel: SseChannel, residence: Residence, sharing: Sharing, principal: str | None
    ) -> None:
        self.principal = principal
        self._id = id
        self._channel = channel
        self._connection: Busy | None = None
        self._loop = residence.loop
        self._sessions = sharing.sessions

    def connected(self, connection: Busy) -> None:
        """The connection begins."""
        self._connection = connection

    def expire(self) -> None:
        """Its token is good no more: it ends once nothing runs, since what runs is answered here."""
        if self._connection is not None and not self._connection.busy:
            self._channel.over("its token has expired")

    def keep_alive(self) -> None:
        """Show that the stream lives, and keep the connection known to other workers."""
        self._channel.keep_alive()
        self._loop.keep(self._use())

    def end(self) -> None:
        """The server is going."""
        self._channel.end()

    def stop(self) -> None:
        """The server is gone; the connection ends by itself."""

    async def _use(self) -> None:
        try:
            known = await self._sessions.get(_key(self._id))
        except Exception as error:
            log.error("a session cannot be kept: %s", type(error).__name__)
            return
        if known is None:
            self._channel.over("the session is not known any more")


def _deprecated(send: Send) -> Send:
    """Return what sends an answer that says how old this way is."""

    async def told(event: Event) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], DEPRECATION]}
        await send(event)

    return told


def _record(principal: str | None) -> bytes:
    """Return what is kept of a connection: whose it is."""
    return dump({"principal": principal})


def _key(id: str) -> str:
    """Return what a connection is called among the sessions: no `Mcp-Session-Id` can say so, having no line break."""
    return f"sse\n{id}"
