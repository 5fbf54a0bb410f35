"""GET: a client hears what belongs to no request, or goes on with a stream that broke off.

(2025-11-25 basic/transports "Listening for Messages from the Server", "Resumability and Redelivery".) What was said
since is read from the log, by whichever worker the client came to. Below: `seat`, `stream`, `reply`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from mcport.core.sse import encode_event

from .reply import Reply
from .residence import ALIVE_SECONDS
from .seat import Seat
from .sharing import Sharing, reached
from .stream import LAST, MORE, RETRY_SECONDS, Stream, new_name, read_event_id
from .wire import Refused, Wire

log: Final = logging.getLogger("mcport.http")

Logged = Sequence[tuple[int, bytes]]


class Hearing:
    """One client that hears a stream by GET, until it leaves or the stream or the server ends."""

    def __init__(self, seat: Seat, wire: Wire, sharing: Sharing) -> None:
        self._seat = seat
        self._wire = wire
        self._sharing = sharing
        self._waiting, self._reading = seat.loop.scope(), seat.loop.scope()
        self.reply = Reply(wire, seat.loop, seat.limits, self._cut)

    def keep_alive(self) -> None:
        """Show that the stream lives."""
        self.reply.keep_alive()

    @property
    def principal(self) -> str | None:
        """On whose behalf it is heard."""
        return self._wire.principal

    def expire(self) -> None:
        """Its token is good no more: the client comes back with another one."""
        self.end()

    def end(self) -> None:
        """The server is going, or the client hears the stream elsewhere."""
        self.reply.close()
        self._waiting.cancel()

    def stop(self) -> None:
        """Send nothing more."""
        self.reply.drop()
        self._waiting.cancel()

    async def hear(self, last_event: str | None) -> None:
        """Hear what belongs to no request, or what was said after an event. Raises `Refused` if that is not possible.

        The stream of a session begins anew where it cannot be continued, and says first that anything may have changed:
        a client that takes it for the rest of the one before misses nothing, whoever has made it.
        """
        if last_event is None:
            await self._stand(self._seat.stream(new_name(stands=True)))
            return
        place = read_event_id(last_event)
        if place is None:
            raise Refused(400, f"last-event-id {last_event!r:.80} is not of this server")
        stream, cursor = self._seat.stream(place[0]), place[1]
        past = await self._past(stream, cursor)
        if past is not None:
            await self._follow(stream, cursor, past)
        elif stream.stands:
            await self._stand(self._seat.stream(new_name(stands=True)), missed=True)
        else:
            raise Refused(400, "the stream cannot be continued: what was said on it is not known any more")

    async def _past(self, stream: Stream, cursor: int) -> Logged | None:
        """Return what was said on a stream after a place, with the event at that place if it is the last one of all."""
        events = self._sharing.events
        found = await reached(events.after(stream.log, cursor))
        if not found and found is not None and cursor > 0:
            at = await reached(events.after(stream.log, cursor - 1))
            return [each for each in at or () if each[1][:1] == LAST]
        return found

    async def _stand(self, stream: Stream, *, missed: bool = False) -> None:
        """Hear what belongs to no request, from now on, and first of all that may have been `missed`."""
        await self._seat.stand(stream, self.end)
        self.reply.begin()
        stream.attach(self.reply)
        if self._seat.polls:
            stream.prime()
        if missed:
            self._seat.missed()
        try:
            await self._until_over()
        finally:
            stream.attach(None)

    async def _follow(self, stream: Stream, cursor: int, past: Logged) -> None:
        """Hear what was said on a stream after a place, and what is said there, in whichever worker."""
        if stream.stands:
            await self._seat.stand(stream, self.end)
        self.reply.begin()
        if stream.stands and self._seat.polls:
            stream.prime()  # an event of its own: no id is given twice
        self._seat.loop.keep(self._read(stream, cursor, past))
        await self._until_over()

    async def _until_over(self) -> None:
        """Wait until the client leaves, or the stream is ended."""
        residence = self._seat.residence
        residence.turns.add(self)
        self._seat.hearings += 1
        try:
            with self._waiting:
                await self._wire.left()
                self.reply.drop()
            await self.reply.end()
        finally:
            self._seat.heard()
            residence.done(self)
            self._reading.cancel()

    async def _read(self, stream: Stream, cursor: int, found: Logged | None) -> None:
        """Send what is in a log and comes into it, until its last event."""
        try:
            with self._reading:
                while found is not None and not self._send(stream, cursor, found):
                    cursor = found[-1][0] if found else cursor
                    await self.reply.drained()
                    found = await self._sharing.events.after(stream.log, cursor, ALIVE_SECONDS)
        except Exception as error:
            log.error("a stream cannot be continued, its log failed: %s", type(error).__name__)
        self.end()

    def _send(self, stream: Stream, cursor: int, found: Logged) -> bool:
        """Send events of a log that the client has not seen; return whether the stream is over with them."""
        for at, event in found:
            if at > cursor:
                retry = RETRY_SECONDS if event == MORE else None
                self.reply.put(encode_event(event[1:], id=stream.id_of(at), retry=retry))
            if event[:1] == LAST:
                return True
        return False

    def _cut(self, reason: str) -> None:
        self._waiting.cancel()
