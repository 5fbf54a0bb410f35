"""One end of a JSON-RPC conversation: the books of requests in flight, both ways.

It pairs answers with calls, follows progress tokens and cancellations, and survives every race between them. It reads
no bytes, holds no clock and knows no revision: what the methods mean is the dialects' business, waiting is the
driver's. Below: `jsonrpc` and `events`.

    event   = peer.receive(message)
    call, message = peer.request("tools/call", params)     # picks the id, opens the book
    message = peer.answer(asked, result)                   # closes the book; None if it was withdrawn meanwhile
"""

from __future__ import annotations

from typing import Final

from ..errors import INVALID_REQUEST
from .events import Answered, Asked, Call, Event, Progressed, Stray, Told, Withdrawn
from .jsonrpc import ErrorResponse, Id, JsonObject, Malformed, Message, Notification, Request, Response

CANCELLED: Final = "notifications/cancelled"
PROGRESS: Final = "notifications/progress"

NEVER_CANCELLED: Final = frozenset({"initialize"})
"""Requests that may not be withdrawn (basic/utilities/cancellation)."""


class Peer:
    """Keeps both books of one connection. Ids of ours count up from 0 and are never used twice."""

    __slots__ = ("_calls", "_next", "asked")

    def __init__(self) -> None:
        self.asked: dict[Id, Asked] = {}
        self._calls: dict[Id, Call] = {}
        self._next = 0

    # ---- what comes in

    def receive(self, message: Message | Malformed) -> Event:
        """Take the next incoming message and say what happened."""
        if type(message) is Request:
            return self._open(message)
        if type(message) is Notification:
            return self._note(message.method, message.params or {})  # type: ignore[arg-type]
        if type(message) is Malformed:
            return self._malformed(message)
        return self._settle(message)  # type: ignore[arg-type]

    def _open(self, request: Request) -> Asked | Stray:
        id = request.id
        if id in self.asked:
            reason = f"Invalid request: id {id!r} is already in flight"
            return Stray(reason, ErrorResponse(id, INVALID_REQUEST, reason))
        params: JsonObject = request.params or {}  # type: ignore[assignment]
        asked = Asked(id, request.method, params)
        meta = params.get("_meta")
        if type(meta) is dict:
            token = meta.get("progressToken")
            if type(token) is int or type(token) is str:
                asked.token = token
        self.asked[id] = asked
        return asked

    def _note(self, method: str, params: JsonObject) -> Event:
        if method == CANCELLED:
            return self._withdrawn(params)
        if method == PROGRESS:
            return self._progressed(params)
        return Told(method, params)

    def _withdrawn(self, params: JsonObject) -> Event:
        id = params.get("requestId")
        reason = params.get("reason")
        asked = self.asked.get(id) if isinstance(id, int | str | float) else None
        if asked is None or type(asked.id) is not type(id):
            # Nothing of that name is in flight: it may concern something else (a listening of the stateless era).
            return Told(CANCELLED, params)
        if asked.method in NEVER_CANCELLED:
            return Stray(f"{asked.method} cannot be cancelled")
        self._close(asked)
        return Withdrawn(asked, reason if isinstance(reason, str) else None)

    def _progressed(self, params: JsonObject) -> Event:
        token = params.get("progressToken")
        call = self._calls.get(token) if type(token) is int else None
        if call is None or not call.wants_progress:
            return Stray(f"progress for unknown token {token!r}")
        progress, total, message = params.get("progress"), params.get("total"), params.get("message")
        if not _is_number(progress) or not (total is None or _is_number(total)):
            return Stray(f"progress without a number for token {token!r}")
        return Progressed(call, progress, total, message if isinstance(message, str) else None, params)  # type: ignore[arg-type]

    def _settle(self, message: Response | ErrorResponse) -> Event:
        call = self._calls.pop(message.id, None) if type(message.id) is int else None
        if call is None:
            return Stray(f"answer to unknown request {message.id!r}")
        return Answered(call, message)

    def _malformed(self, message: Malformed) -> Event:
        if message.answers:
            call = self._calls.pop(message.id, None) if type(message.id) is int else None
            return Stray(message.reason) if call is None else Answered(call, message)
        if not message.wants_reply:
            return Stray(message.reason)
        return Stray(message.reason, ErrorResponse(message.id, message.code, message.reason))

    # ---- what goes out

    def request(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        progress: bool = False,
        context: object = None,
    ) -> tuple[Call, Request]:
        """Open a call and return it with the message to send.

        With `progress` the call's id becomes its progress token, which no other call can share. `context` is carried
        for the driver, untouched.
        """
        id = self._next
        self._next = id + 1
        call = Call(id, method, seconds, progress, context)
        self._calls[id] = call
        if progress:
            params = dict(params or {})
            params["_meta"] = {**(params.get("_meta") or {}), "progressToken": id}
        return call, Request(id, method, params)

    def withdraw(self, call: Call, reason: str | None = None) -> Notification | None:
        """Give a call up; return the notification that says so, or None where none may be sent.

        A late answer is then a stray. Nothing is sent for a call that is settled already, nor for `initialize`.
        """
        if self._calls.pop(call.id, None) is None or call.method in NEVER_CANCELLED:
            return None
        params: JsonObject = {"requestId": call.id}
        if reason:
            params["reason"] = reason
        return Notification(CANCELLED, params)

    def answer(self, asked: Asked, result: object) -> Response | None:
        """Close the book of a request with a result; None if it was withdrawn meanwhile."""
        return Response(asked.id, result) if self._close(asked) else None

    def refuse(self, asked: Asked, code: int, message: str, data: object = None) -> ErrorResponse | None:
        """Close the book of a request with an error; None if it was withdrawn meanwhile."""
        return ErrorResponse(asked.id, code, message, data) if self._close(asked) else None

    def drop(self, asked: Asked) -> None:
        """Close the book of a request that gets no answer at all."""
        self._close(asked)

    def lose_calls(self) -> list[Call]:
        """No answer will come any more: close the book of our calls and return what was open."""
        calls = list(self._calls.values())
        self._calls.clear()
        return calls

    def close_asked(self) -> None:
        """No answer can be sent any more: close the book of the other side's requests."""
        for asked in list(self.asked.values()):
            self._close(asked)

    @property
    def calls(self) -> int:
        """How many calls of ours are not settled yet."""
        return len(self._calls)

    def _close(self, asked: Asked) -> bool:
        if not asked.open:
            return False
        asked.open = False
        del self.asked[asked.id]
        return True


def progress_of(
    asked: Asked, progress: float, total: float | None = None, message: str | None = None
) -> Notification | None:
    """Return the notification that reports progress on a request of the other side.

    None where nothing may be sent: it gave no token, it is answered or withdrawn, or the value does not increase
    (basic/utilities/progress: every value is greater than the one before).
    """
    if asked.token is None or not asked.open or (asked.progress is not None and progress <= asked.progress):
        return None
    asked.progress = progress
    params: JsonObject = {"progressToken": asked.token, "progress": progress}
    if total is not None:
        params["total"] = total
    if message is not None:
        params["message"] = message
    return Notification(PROGRESS, params)


def _is_number(value: object) -> bool:
    return type(value) is int or type(value) is float

