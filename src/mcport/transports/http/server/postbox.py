"""What workers tell each other of sessions: messages that came to the wrong one, changes, and the end.

It goes through the port for notices, and every worker hears its own words as well. Below: `seat`, `stores.notices`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from mcport.core.jsonrpc import JsonObject, Malformed, Message, Raw, Request, decode, dump, encode, parse_json

from .residence import Residence
from .seat import Seat
from .sharing import Sharing

log: Final = logging.getLogger("mcport.http")

SWEEP_SECONDS: Final = 60.0
"""So often seats are looked at whose session may be over."""


class Postbox:
    """The seats of one app in one loop, by session, and their post."""

    def __init__(self, residence: Residence, sharing: Sharing, worker: str) -> None:
        self.seats: dict[str, Seat] = {}
        self._residence = residence
        self._sharing = sharing
        self._worker = worker
        self._stop: Callable[[], None] = sharing.notices.listen(self._heard)
        self._timer = residence.loop.later(SWEEP_SECONDS, self._sweep)
        residence.endings.append(self.close)

    # ---- what is said

    def pass_on(self, seat: Seat, message: Message) -> None:
        """A message is for another worker, if for any."""
        self._say(seat.id, {"message": Raw(encode(message))})

    def changed(self, seat: Seat) -> None:
        """The record of a session changed."""
        self._say(seat.id, {"changed": True})

    def stands(self, seat: Seat) -> None:
        """The client hears what belongs to no request here, and nowhere else any more."""
        self._say(seat.id, {"stands": True})

    def ended(self, seat: Seat) -> None:
        """A session is over, by its client's wish."""
        self.forget(seat.id)
        self._say(seat.id, {"ended": True})

    def forget(self, id: str) -> None:
        """A session is over, or nobody needs this worker's part of it any more."""
        seat = self.seats.pop(id, None)
        if seat is not None:
            seat.end("the session is over")

    def close(self) -> None:
        """The server is going."""
        self._stop()
        self._timer.cancel()
        for id in list(self.seats):
            self.forget(id)

    def _say(self, session: str, news: JsonObject) -> None:
        self._sharing.notices.publish(dump({"session": session, "from": self._worker, **news}))

    # ---- what is heard

    def _heard(self, notice: bytes) -> None:
        """News of any worker, in whatever thread."""
        self._residence.loop.soon_from_thread(lambda: self._take(notice))

    def _take(self, notice: bytes) -> None:
        try:
            news: JsonObject = parse_json(notice)
            seat = self.seats.get(news["session"])
            if seat is None or news["from"] == self._worker:
                return
            if "message" in news:
                message = decode(dump(news["message"]))
                if not isinstance(message, Request | Malformed | list):
                    seat.take(message)  # type: ignore[arg-type]
            elif "changed" in news:
                self._residence.loop.keep(self._reread(seat))
            elif "stands" in news:
                seat.unstand()
            elif "ended" in news:
                self.forget(seat.id)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("news of another worker cannot be read: %r", error)

    async def _reread(self, seat: Seat) -> None:
        try:
            record = await self._sharing.sessions.get(seat.id)
            if record is not None and not seat.over:
                seat.read(record)
        except Exception:
            log.exception("the record of a session cannot be read")

    def _sweep(self) -> None:
        """Let go of seats at which nothing goes on, and use those sessions that somebody hears."""
        self._timer = self._residence.loop.later(SWEEP_SECONDS, self._sweep)
        for id, seat in list(self.seats.items()):
            if seat.idle:
                self.forget(id)
            else:
                self._residence.loop.keep(self._reread(seat))
