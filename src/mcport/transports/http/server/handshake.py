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
from mcport.errors import INTERNAL_ERROR

from .hearing import Hearing
from .post import Post
from .postbox import Postbox
from .residence import Residence
from .seat import Seat
from .service import Service
from .sharing import Sharing, reached
from .wire import JSON_TYPE, Refused, Wire, error_body

log: Final = logging.getLogger("mcport.http")

ID_LENGTH: Final = 200
"""No id of a session is longer, and nobody is asked for one that is."""


class HandshakeDoor:
    """Serves the sessions of one app. With `streams` each answer is a stream."""

    def __init__(self, service: Service, sharing: Sharing, streams: bool = False) -> None:
        self._service = service
        self._sharing = sharing
        self._streams = streams
        self._waits = sharing.waits

    async def post(self, message: Decoded, wire: Wire, residence: Residence) -> None:
        """Take what was posted."""
        if self._waits:
            await wire.may_wait()
        if type(message) is Request and message.method == "initialize" and SESSION not in wire.headers:
            await self._open(message, wire, residence)
            return
        seat = await self.seat(wire, residence)
        if type(message) is Request:
            await self._ask(seat, message, wire)
        elif type(message) is Batch:
            await self._batch(seat, message, wire)
        else:
            await self._take(seat, message)  # type: ignore[arg-type]
            await wire.answer(400 if type(message) is Malformed else 202)

    async def get(self, wire: Wire, residence: Residence) -> None:
        """Let the client hear what belongs to no request, or the rest of a stream that broke off."""
        await wire.may_wait()
        seat = await self.seat(wire, residence)
        if seat.hearings >= self._service.limits.listens:
            raise Refused(429, "too many streams of this session are open (Limits.listens)", {"retry-after": "1"})
        await Hearing(seat, wire, self._sharing).hear(wire.headers.get(LAST_EVENT))

    async def delete(self, wire: Wire, residence: Residence) -> None:
        """End a session."""
        await wire.may_wait()
        seat = await self.seat(wire, residence)
        await reached(self._sharing.sessions.drop(seat.id))
        self._postbox(residence).ended(seat)
        await wire.answer(204)

    async def seat(self, wire: Wire, residence: Residence) -> Seat:
        """Return this worker's part of the session that a request names.

        Raises `Refused`: 400 if it names none, 404 if there is none any more, or it is somebody else's.
        """
        id = wire.headers.get(SESSION)
        if id is None:
            raise Refused(400, "mcp-session-id is missing; a session begins with initialize")
        record = await reached(self._sharing.sessions.get(id)) if len(id) <= ID_LENGTH else None
        box = self._postbox(residence)
        if record is None:
            box.forget(id)
            raise _unknown()
        seat = box.seats.get(id)
        if seat is None:
            seat = box.new_seat(id)
        seat.read(record)
        if seat.principal != wire.principal:
            raise _unknown()
        box.seats[id] = seat
        return seat

    # ---- what is posted

    async def _open(self, request: Request, wire: Wire, residence: Residence) -> None:
        """Serve `initialize`: a new session, unless there are too many."""
        seat = self._postbox(residence).new_seat(secrets.token_urlsafe(32))
        seat.principal = wire.principal
        asked = seat.ask(request)
        if type(asked) is not Asked:
            await wire.answer(400, encode(asked.reply))  # type: ignore[union-attr,arg-type]
            return
        body = await Post(seat, wire, self._service).answer(asked)
        fields = [JSON_TYPE]
        if seat.conversation.opened is not None:
            if not await seat.create(wire.principal):
                raise Refused(503, "there are too many sessions already; try again later", {"retry-after": "30"})
            self._postbox(residence).seats[seat.id] = seat
            fields.append((SESSION.encode(), seat.id.encode()))
        await wire.answer(200, body, fields)

    async def _ask(self, seat: Seat, request: Request, wire: Wire) -> None:
        if len(seat.running) >= self._service.limits.requests_in_flight:
            raise Refused(429, "too many requests of this session are in flight", {"retry-after": "1"})
        asked = seat.ask(request)
        if type(asked) is not Asked:
            await wire.answer(400, encode(asked.reply))  # type: ignore[union-attr,arg-type]
            return
        await Post(seat, wire, self._service, self._streams).serve([asked])

    async def _batch(self, seat: Seat, batch: Batch, wire: Wire) -> None:
        """Serve an array of messages, in the one revision that has them; its requests are answered in one array."""
        opened = seat.conversation.opened
        members = take_apart(batch, opened is not None and opened.revision.allows_batches)
        if len(members) == 1 and type(members[0]) is Malformed:
            await wire.answer(400, _refused(members[0]))
            return
        asked, refused = list[Asked](), list[bytes]()
        try:
            for member in members:
                await self._member(seat, member, asked, refused)
        except Refused:
            for each in asked:
                seat.peer.drop(each)  # nobody is answered: these ids may be used again
            raise
        if asked:
            await Post(seat, wire, self._service, self._streams).serve(asked, refused, array=True)
        else:
            await wire.answer(200 if refused else 202, b"[" + b",".join(refused) + b"]" if refused else b"")

    async def _member(self, seat: Seat, member: Message | Malformed, asked: list[Asked], refused: list[bytes]) -> None:
        """Take one message of a batch."""
        if type(member) is Request:
            self._admit(seat, member, asked, refused)
        elif type(member) is Malformed and member.wants_reply:
            refused.append(_refused(member))
        else:
            await self._take(seat, member)

    def _admit(self, seat: Seat, request: Request, asked: list[Asked], refused: list[bytes]) -> None:
        """Open the book for a request of a batch, or refuse it."""
        if len(seat.running) + len(asked) >= self._service.limits.requests_in_flight:
            refused.append(error_body(request.id, INTERNAL_ERROR, "Too many requests in flight; try again later"))
            return
        found = seat.ask(request)
        if type(found) is Asked:
            asked.append(found)
        elif found.reply is not None:  # type: ignore[union-attr]
            refused.append(encode(found.reply))  # type: ignore[union-attr]

    async def _take(self, seat: Seat, message: Message | Malformed) -> None:
        """Take what is no request; what is for a request of another worker is handed on."""
        if not seat.take(message):
            self._postbox(seat.residence).pass_on(seat, message)
        await seat.save()

    def _postbox(self, residence: Residence) -> Postbox:
        box = residence.rooms.get(self)
        if box is None:
            box = residence.rooms[self] = Postbox(residence, self._service, self._sharing)
        assert isinstance(box, Postbox)
        return box


def _unknown() -> Refused:
    return Refused(404, "there is no such session any more; begin a new one with initialize")


def _refused(message: Malformed) -> bytes:
    return error_body(message.id, message.code, message.reason)
