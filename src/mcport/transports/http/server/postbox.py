"""What workers tell each other of sessions: messages that came to the wrong one, changes, and the end.

It goes through the port for notices, and every worker hears its own words as well. News may be late, come twice or be
lost: what counts stands in the records. Below: `seat`, `stores.notices`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Final

from mcport.core.jsonrpc import (
    ErrorResponse,
    JsonObject,
    Malformed,
    Message,
    Notification,
    Response,
    decode,
    dump,
    encode,
    parse_json,
)

from .residence import Residence
from .seat import Seat
from .service import Service
from .sharing import Sharing

log: Final = logging.getLogger("mcport.http")

SWEEP_SECONDS: Final = 30.0
"""So often seats are looked at whose session may be over."""


class Postbox:
    """The seats of one app in one loop, by session, and their post: a worker, as the others see it."""

    def __init__(self, residence: Residence, service: Service, sharing: Sharing) -> None:
        self.seats: dict[str, Seat] = {}
        self._residence = residence
        self._service = service
        self._sharing = sharing
        self._worker = secrets.token_hex(4)
        self._stop: Callable[[], None] = sharing.notices.listen(self._heard)
        self._timer = residence.loop.later(SWEEP_SECONDS, self._sweep)
        residence.endings.append(self.close)

    def new_seat(self, id: str) -> Seat:
        """Return a seat for a session that is yet to be kept or read."""
        return Seat(id, self._residence, self._service, self._sharing, self, f"{self._worker}-")

    # ---- what is said

    def pass_on(self, seat: Seat, message: Message | Malformed) -> None:
        """A message is for another worker, if for any."""
        if not isinstance(message, Malformed):
            self._say(seat.id, {"message": encode(message).decode()})
        elif message.answers is not None:
            self._say(seat.id, {"broken": [message.code, message.reason, message.answers]})

    def changed(self, seat: Seat) -> None:
        """The record of a session changed."""
        self._say(seat.id, {"changed": True})

    def tell(self, session: str, notification: Notification) -> None:
        """Tell the client of a session what belongs to no request, by whichever worker it hears that."""
        message = encode(notification)
        seat = self.seats.get(session)
        if seat is None or not seat.tell(message):
            self._say(session, {"told": message.decode()})

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
        try:
            self._sharing.notices.publish(dump({"session": session, "from": self._worker, **news}))
        except Exception as error:
            log.error("the other workers cannot be told of a session: %s", type(error).__name__)

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
                _take_message(seat, news["message"].encode())
            elif "broken" in news:
                code, reason, answers = news["broken"]
                seat.take(Malformed(code, reason, answers=answers))
            elif "told" in news:
                seat.tell(news["told"].encode())
            elif "changed" in news:
                self._residence.loop.keep(self._refresh(seat))
            elif "ended" in news:
                self.forget(seat.id)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("news of another worker cannot be read: %s", type(error).__name__)

    async def _refresh(self, seat: Seat) -> None:
        """Read the record of a session again, which uses the session; without one it is over."""
        try:
            record = await self._sharing.sessions.get(seat.id)
            if record is None:
                self.forget(seat.id)
            elif not seat.over:
                seat.read(record)
        except Exception as error:
            log.error("the record of a session cannot be read: %s", type(error).__name__)

    def _sweep(self) -> None:
        """Let go of seats at which nothing goes on, and use those sessions at which something does."""
        self._timer = self._residence.loop.later(SWEEP_SECONDS, self._sweep)
        for id, seat in list(self.seats.items()):
            if seat.is_used:
                self._residence.loop.keep(self._refresh(seat))
            elif seat.is_idle:
                self.forget(id)


def _take_message(seat: Seat, data: bytes) -> None:
    message = decode(data)
    if isinstance(message, Notification | Response | ErrorResponse):
        seat.take(message)
