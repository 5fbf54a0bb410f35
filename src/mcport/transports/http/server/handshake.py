"""The door of the handshake era: sessions, each of which any worker can go on with.

POST brings messages, GET hears what belongs to no request or goes on with a stream that broke off, DELETE ends the
session (2025-11-25 basic/transports "Streamable HTTP"). A session is a record in a store; what one worker has of it is
a `Seat`. Below: `seat`, `post`, `postbox`, `stores`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Final

from mcport.core.dialects.handshake import take_apart
from mcport.core.events import Asked
from mcport.core.http.headers import LAST_EVENT, SESSION
from mcport.core.jsonrpc import Batch, Decoded, Malformed, Message, Request, encode

from .asgi import JSON_TYPE, Receive, Refused, Send, answer, error_body
from .hearing import Hearing
from .post import Post
from .postbox import Postbox
from .record import write_record
from .residence import Residence
from .seat import Seat
from .service import Service
from .sharing import Sharing
from .stream import new_name, read_event_id

log: Final = logging.getLogger("mcport.http")


class HandshakeDoor:
    """Serves the sessions of one app. With `streams` each answer is a stream."""

    def __init__(self, service: Service, sharing: Sharing, streams: bool = False) -> None:
        self._service = service
        self._sharing = sharing
        self._streams = streams
        self._worker = secrets.token_hex(4)

    async def post(
        self, message: Decoded, headers: dict[str, str], receive: Receive, send: Send, residence: Residence
    ) -> None:
        """Take what was posted."""
        if type(message) is Request and message.method == "initialize":
            await self._open(message, headers, send, residence)
            return
        seat = await self.seat(headers, residence)
        if type(message) is Request:
            await self._ask(seat, message, headers, receive, send)
        elif type(message) is Batch:
            await self._batch(seat, message, headers, receive, send)
        else:
            await self._take(seat, message)  # type: ignore[arg-type]
            await answer(send, 202)

    async def get(self, headers: dict[str, str], receive: Receive, send: Send, residence: Residence) -> None:
        """Let the client hear what belongs to no request, or the rest of a stream that broke off."""
        seat = await self.seat(headers, residence)
        hearing = Hearing(seat, receive, send, self._sharing)
        name, cursor = new_name(stands=True), 0
        if LAST_EVENT in headers:
            place = read_event_id(headers[LAST_EVENT])
            if place is None:
                raise Refused(400, f"last-event-id {headers[LAST_EVENT]!r:.80} is not of this server")
            name, cursor = place
        stream = seat.stream(name)
        if stream.stands:
            self._postbox(residence).stands(seat)
        await (hearing.follow(stream, cursor) if cursor else hearing.stand(stream))

    async def delete(self, headers: dict[str, str], send: Send, residence: Residence) -> None:
        """End a session."""
        seat = await self.seat(headers, residence)
        await self._sharing.sessions.drop(seat.id)
        self._postbox(residence).ended(seat)
        await answer(send, 204)

    async def seat(self, headers: dict[str, str], residence: Residence) -> Seat:
        """Return this worker's part of the session that a request names.

        Raises `Refused`: 400 if it names none, 404 if there is none any more, or it is somebody else's.
        """
        id = headers.get(SESSION)
        if id is None:
            raise Refused(400, "mcp-session-id is missing; a session begins with initialize")
        record = await self._sharing.sessions.get(id) if len(id) < 200 else None
        box = self._postbox(residence)
        if record is None:
            box.forget(id)
            raise Refused(404, "there is no such session any more; begin a new one with initialize")
        seat = box.seats.get(id)
        if seat is None:
            seat = Seat(id, residence, self._service, self._sharing.events, f"{self._worker}-")
            box.seats[id] = seat
        seat.read(record)
        return seat

    # ---- what is posted

    async def _open(self, request: Request, headers: dict[str, str], send: Send, residence: Residence) -> None:
        """Serve `initialize`: a new session, unless there are too many."""
        id = secrets.token_urlsafe(32)
        seat = Seat(id, residence, self._service, self._sharing.events, f"{self._worker}-")
        asked = seat.ask(request)
        if type(asked) is not Asked:
            await answer(send, 400, encode(asked.reply))  # type: ignore[union-attr,arg-type]
            return
        post = Post(seat, asked, headers, self._service, streams=False)
        body = await post.answered_at_once()
        fields = [JSON_TYPE]
        if seat.conversation.opened is not None:
            record = write_record(seat.conversation, seat.principal)
            if not await self._sharing.sessions.create(id, record, self._sharing.idle_seconds):
                raise Refused(503, "there are too many sessions already; try again later", {"retry-after": "30"})
            self._postbox(residence).seats[id] = seat
            fields.append((SESSION.encode(), id.encode()))
        await answer(send, 200, body, fields)

    async def _ask(self, seat: Seat, request: Request, headers: dict[str, str], receive: Receive, send: Send) -> None:
        if len(seat.running) >= self._service.limits.requests_in_flight:
            raise Refused(429, "too many requests of this session are in flight", {"retry-after": "1"})
        asked = seat.ask(request)
        if type(asked) is not Asked:
            await answer(send, 400, encode(asked.reply))  # type: ignore[union-attr,arg-type]
            return
        await Post(seat, asked, headers, self._service, self._streams).serve(receive, send)
        await self._save(seat)

    async def _batch(self, seat: Seat, batch: Batch, headers: dict[str, str], receive: Receive, send: Send) -> None:
        """Serve an array of messages, in the one revision that has them; its requests are answered in one array."""
        opened = seat.conversation.opened
        members = take_apart(batch, opened is not None and opened.revision.allows_batches)
        requests = [each for each in members if type(each) is Request]
        bodies = [_refused(each) for each in members if type(each) is Malformed]
        for each in members:
            if not isinstance(each, Request | Malformed):
                await self._take(seat, each)
        for request in requests:
            asked = seat.ask(request)
            if type(asked) is Asked:
                bodies.append(await Post(seat, asked, headers, self._service, streams=False).answered_at_once())
            else:
                bodies.append(encode(asked.reply))  # type: ignore[union-attr,arg-type]
        await self._save(seat)
        if not bodies:
            await answer(send, 202)
        elif len(members) == 1 and type(members[0]) is Malformed:
            await answer(send, 400, bodies[0])
        else:
            await answer(send, 200, b"[" + b",".join(bodies) + b"]")

    async def _take(self, seat: Seat, message: Message) -> None:
        """Take what is no request; what is for a request of another worker is handed on."""
        if not seat.take(message):
            self._postbox(seat.residence).pass_on(seat, message)
        await self._save(seat)

    async def _save(self, seat: Seat) -> None:
        """Keep what changed in a session, and tell the other workers."""
        record = seat.changed()
        if record is not None:
            await self._sharing.sessions.put(seat.id, record)
            self._postbox(seat.residence).changed(seat)

    def _postbox(self, residence: Residence) -> Postbox:
        box = residence.rooms.get(self)
        if box is None:
            box = residence.rooms[self] = Postbox(residence, self._sharing, self._worker)
        assert isinstance(box, Postbox)
        return box


def _refused(message: Malformed) -> bytes:
    return error_body(message.id, message.code, message.reason)
