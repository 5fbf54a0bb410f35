"""GET: a client hears what belongs to no request, or goes on with a stream that broke off.

(2025-11-25 basic/transports "Listening for Messages from the Server", "Resumability and Redelivery".) What was said
since is read from the log, by whichever worker the client came to. Below: `seat`, `stream`, `reply`.
"""

from __future__ import annotations

from mcport.core.sse import encode_event
from mcport.session.exchange import Answer, Exchange

from .asgi import Receive, Refused, Send
from .reply import Reply
from .residence import ALIVE_SECONDS
from .seat import Seat
from .sharing import Sharing
from .stream import LAST, Stream


class Hearing:
    """One client that hears a stream by GET, until it leaves or the stream or the server ends."""

    def __init__(self, seat: Seat, receive: Receive, send: Send, sharing: Sharing) -> None:
        self._seat = seat
        self._receive = receive
        self._sharing = sharing
        self._waiting, self._reading = seat.loop.scope(), seat.loop.scope()
        self.reply = Reply(send, seat.loop, seat.limits, self._cut, _nobody)

    def keep_alive(self) -> None:
        """Show that the stream lives."""
        self.reply.keep_alive()

    def end(self) -> None:
        """The server is going, or the client hears the stream elsewhere."""
        self.reply.close()
        self._waiting.cancel()

    async def stand(self, stream: Stream) -> None:
        """Hear what belongs to no request, from now on."""
        self.reply.begin()
        stream.attach(self.reply)
        self._seat.stand(stream, self.end)
        await self._until_over()
        stream.attach(None)

    async def follow(self, stream: Stream, cursor: int) -> None:
        """Hear what was said on a stream after a place, and what is said there, in whichever worker.

        Raises `Refused` where that is not known any more.
        """
        past = await self._sharing.events.after(stream.log, cursor)
        if past is None:
            raise Refused(400, "the stream cannot be continued: what was said on it is not known any more")
        self.reply.begin()
        if stream.stands:
            self._seat.stand(stream, self.end)
        self._seat.loop.keep(self._read(stream, cursor, past))
        await self._until_over()

    async def _until_over(self) -> None:
        """Wait until the client leaves, or the stream is ended."""
        turns = self._seat.residence.turns
        turns.add(self)
        try:
            with self._waiting:
                while (await self._receive())["type"] != "http.disconnect":
                    pass
                self.reply.drop()
            await self.reply.end()
        finally:
            turns.discard(self)
            self._reading.cancel()

    async def _read(self, stream: Stream, cursor: int, found: list[tuple[int, bytes]] | None) -> None:
        """Send what is in a log and comes into it, until its last event."""
        with self._reading:
            while found is not None:
                for cursor, event in found:
                    self.reply.put(encode_event(event[1:], id=stream.id_of(cursor)))
                    if event[:1] == LAST:
                        found = None
                        break
                else:
                    await self.reply.drained()
                    found = await self._sharing.events.after(stream.log, cursor, ALIVE_SECONDS)
            self.end()

    def _cut(self, reason: str) -> None:
        self._waiting.cancel()


def _nobody(exchange: Exchange, answer: Answer) -> None:
    """No request is answered here."""
