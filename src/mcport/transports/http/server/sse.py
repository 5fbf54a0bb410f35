"""The door of HTTP+SSE, the older pair of endpoints: GET hears the server, POST speaks to it.

(2024-11-05 basic/transports.) A connection lives in the worker that serves its stream. What is posted to another worker
is handed on through the port for notices; whether there is such a connection at all, every worker knows from the port
for sessions. Below: `sse_channel`, `residence`, `stores`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Final
from urllib.parse import parse_qs

import anyio

from mcport.core.jsonrpc import JsonObject, Malformed, decode, dump, parse_json
from mcport.errors import PARSE_ERROR

from .asgi import AsgiWire, Receive, Scope, Send, answer
from .residence import Residence
from .service import Service
from .sharing import Sharing, reached
from .sse_channel import SseChannel
from .wire import Refused, error_body

log: Final = logging.getLogger("mcport.http")

STREAM_PATH: Final = "/sse"
POST_PATH: Final = "/messages"

LONGEST_ID: Final = 100


class SseDoor:
    """Serves the connections of one app."""

    def __init__(self, service: Service, sharing: Sharing) -> None:
        self._service = service
        self._sharing = sharing

    async def get(self, scope: Scope, receive: Receive, send: Send, residence: Residence) -> None:
        """Serve a new connection until its client is gone. Raises `Refused` where there are too many."""
        id = secrets.token_urlsafe(32)
        if not await reached(self._sharing.sessions.create(_key(id), b"", self._sharing.idle_seconds)):
            raise Refused(503, "there are too many sessions already; try again later", {"retry-after": "30"})
        endpoint = f"{scope.get('root_path', '')}{POST_PATH}?session_id={id}"
        channel = SseChannel(endpoint, AsgiWire(scope, receive, send), residence.loop, self._service.limits)
        stream = _Stream(id, channel, residence, self._sharing)
        streams = self._streams(residence)
        streams.open[id] = channel
        residence.turns.add(stream)
        residence.loop.keep(channel.watch())
        try:
            await self._service.serve(channel, residence.loop)
        finally:
            residence.done(stream)
            del streams.open[id]
            with anyio.CancelScope(shield=True):
                await self._sharing.sessions.drop(_key(id))

    async def post(self, scope: Scope, body: bytes, send: Send, residence: Residence) -> None:
        """Take what was posted; it is answered on the stream.

        Raises `Refused`: 400 where no connection is named, 404 where there is none any more.
        """
        id = parse_qs(scope["query_string"].decode("latin-1")).get("session_id", [""])[0]
        if not id:
            raise Refused(400, f"session_id is missing; GET {STREAM_PATH} tells where to post")
        if len(id) > LONGEST_ID or await reached(self._sharing.sessions.get(_key(id))) is None:
            raise Refused(404, f"there is no such session any more; begin a new one with GET {STREAM_PATH}")
        message = decode(body)
        if type(message) is Malformed and message.code == PARSE_ERROR:
            await answer(send, 400, error_body(None, message.code, message.reason))
            return
        self._streams(residence).take(id, body)
        await answer(send, 202)

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
        """Take in a message for a connection, wherever it is served."""
        channel = self.open.get(id)
        if channel is not None:
            channel.posted(body)
        else:
            self._notices.publish(dump({"session": id, "posted": body.decode()}))

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


class _Stream:
    """A connection as long as it lasts (`residence.Turn`)."""

    def __init__(self, id: str, channel: SseChannel, residence: Residence, sharing: Sharing) -> None:
        self._id = id
        self._channel = channel
        self._loop = residence.loop
        self._sessions = sharing.sessions

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


def _key(id: str) -> str:
    """Return what a connection is called among the sessions: no `Mcp-Session-Id` can say so, having no line break."""
    return f"sse\n{id}"
