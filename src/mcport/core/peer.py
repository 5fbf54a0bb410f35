"""One end of a JSON-RPC conversation: the books of requests in flight, both ways.

It pairs answers with calls, follows progress tokens and cancellations, and survives every race between them. It reads
no bytes, holds no clock and knows no revision: what the methods mean is the dialects' business, waiting is the
driver's. Below: `jsonrpc` and `events`.

    event = peer.receive(message)
    call, message = peer.request("tools/call", params)     # picks the id, opens the book
    message = peer.answer(asked, result)                   # closes the book; None if it was withdrawn meanwhile
"""

from __future__ import annotations

import math
from typing import Final

from mcport.errors import INVALID_PARAMS, INVALID_REQUEST

from .events import Answered, Asked, Call, Event, Progressed, Stray, Told, Withdrawn
from .jsonrpc import ErrorResponse, Id, JsonObject, Malformed, Message, Notification, Request, Response, is_id

CANCELLED: Final = "notifications/cancelled"
PROGRESS: Final = "notifications/progress"

NEVER_CANCELLED: Final = frozenset({"initialize"})
"""Requests that may not be withdrawn (basic/utilities/cancellation)."""


class Peer:
    """Keeps both books of one connection. Ids of ours count up from 0 and are never used twice.

    With a `prefix` they are texts that begin with it: several peers may then ask in the name of one side.

    `asked` is the book of the other side's requests by id; 1 and 1.0 are the same number and so the same id. Where
    `serves` is false requests are not taken and nothing is ever answered, not even nonsense: so it is for a client of
    the stateless era (2026-07-28 basic/transports, "Message Direction").
    """

    __slots__ = ("_calls", "_next", "_prefix", "asked", "serves")

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.asked: dict[Id, Asked] = {}
        self.serves = True
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
        if id in self.asked or not self.serves:
            return self._turn_away(request)
        params: JsonObject = request.params or {}  # type: ignore[assignment]
        asked = Asked(id, request.method, params)
        meta = params.get("_meta")
        if meta is not None:
            if type(meta) is not dict:
                return self._turn_away(request)
            if "progressToken" in meta:
                token = asked.token = meta["progressToken"]
                if type(token) is not int and not is_id(token):
                    return self._turn_away(request)
        self.asked[id] = asked
        return asked

    def _turn_away(self, request: Request) -> Stray:
        if not self.serves:
            return Stray(f"a request {_brief(request.method)} where none may come")
        code, reason = INVALID_PARAMS, "_meta must be an object"
        if request.id in self.asked:
            code, reason = INVALID_REQUEST, f"id {_brief(request.id)} is already in flight"
        elif type(request.params["_meta"]) is dict:  # type: ignore[index]
            # basic/utilities/progress: a token is a string or an integer.
            reason = "_meta progressToken must be a string or an integer"
        return Stray(reason, ErrorResponse(request.id, code, reason))

    def _note(self, method: str, params: JsonObject) -> Event:
        if method == CANCELLED:
            return self._withdrawn(params)
        if method == PROGRESS:
            return self._progressed(params)
        return Told(method, params)

    def _withdrawn(self, params: JsonObject) -> Event:
        id, reason = params.get("requestId"), params.get("reason")
        asked = self.asked.get(id) if is_id(id) else None
        if asked is None:
            # Nothing of that name is in flight: it may concern something else (a listening of the stateless era).
            return Told(CANCELLED, params)
        if asked.method in NEVER_CANCELLED:
            return Stray(f"{asked.method} cannot be cancelled")
        self.drop(asked)
        return Withdrawn(asked, reason if type(reason) is str else None)

    def _progressed(self, params: JsonObject) -> Event:
        token = params.get("progressToken")
        call = self._calls.get(token) if is_id(token) else None
        if call is None or not call.wants_progress:
            return Stray(f"progress for unknown token {_brief(token)}")
        progress, total, message = params.get("progress"), params.get("total"), params.get("message")
        if not _is_number(progress) or not (total is None or _is_number(total)):
            return Stray(f"progress without a number for token {_brief(token)}")
        return Progressed(call, progress, total, message if type(message) is str else None, params)  # type: ignore[arg-type]

    def _settle(self, message: Response | ErrorResponse) -> Event:
        call = self._calls.pop(message.id, None)  # type: ignore[arg-type]
        if call is None:
            return Stray(f"answer to unknown request {_brief(message.id)}")
        return Answered(call, message)

    def _malformed(self, message: Malformed) -> Event:
        if message.answers is not None:
            call = self._calls.pop(message.answers, None)
            if call is not None:
                return Answered(call, message)
        if not (message.wants_reply and self.serves) or self._was_called(message.answers):
            return Stray(message.reason)
        return Stray(message.reason, ErrorResponse(message.id, message.code, message.reason))

    def _was_called(self, id: Id | None) -> bool:
        """Whether a call of ours had this id: then what bears it is a late answer, and no broken request."""
        if self._prefix:
            return isinstance(id, str) and id.startswith(self._prefix)
        return isinstance(id, int | float) and 0 <= id < self._next

    # ---- what goes out

    def request(
        self, method: str, params: JsonObject | None = None, *, progress: bool = False, context: object = None
    ) -> tuple[Call, Request]:
        """Open a call and return it with the message to send.

        With `progress` the call's id becomes its progress token, which no other call can share. `context` is carried
        for the driver, untouched.
        """
        number = self._next
        self._next = number + 1
        id: Id = f"{self._prefix}{number}" if self._prefix else number
        call = self._calls[id] = Call(id, method, progress, context)
        if progress:
            params = dict(params or {})
            params["_meta"] = {**(params.get("_meta") or {}), "progressToken": id}
        return call, Request(id, method, params)

    def waits_for(self, call: Call) -> bool:
        """Whether a call of ours is not settled yet."""
        return self._calls.get(call.id) is call

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
        """Close the book of a request with a result; None if it was withdrawn meanwhile.

        Raises RuntimeError for a request that is answered already.
        """
        if asked.open:
            asked.open = False
            del self.asked[asked.id]
            return Response(asked.id, result)
        _forgive(asked)
        return None

    def refuse(self, asked: Asked, code: int, message: str, data: object = None) -> ErrorResponse | None:
        """Close the book of a request with an error; None if it was withdrawn meanwhile.

        Raises RuntimeError for a request that is answered already.
        """
        if asked.open:
            asked.open = False
            del self.asked[asked.id]
            return ErrorResponse(asked.id, code, message, data)
        _forgive(asked)
        return None

    def drop(self, asked: Asked) -> None:
        """Close the book of a request that gets no answer at all."""
        if asked.open:
            asked.open = False
            asked.forgiving = True
            del self.asked[asked.id]

    def lose_calls(self) -> list[Call]:
        """No answer will come any more: close the book of our calls and return what was open."""
        calls = list(self._calls.values())
        self._calls.clear()
        return calls

    def close_asked(self) -> None:
        """No answer can be sent any more: close the book of the other side's requests."""
        for asked in list(self.asked.values()):
            self.drop(asked)

    @property
    def calls(self) -> int:
        """How many calls of ours are not settled yet."""
        return len(self._calls)


def _forgive(asked: Asked) -> None:
    """Let an answer pass that nobody waits for any more; any other request that is not open is answered twice."""
    if not asked.forgiving:
        raise RuntimeError(f"request {asked.id!r} ({asked.method}) is answered twice")


def progress_of(
    asked: Asked, progress: float, total: float | None = None, message: str | None = None
) -> Notification | None:
    """Return the notification that reports progress on a request of the other side.

    None where nothing may be sent: it gave no token, it is answered or withdrawn, or the value does not increase
    (basic/utilities/progress: every value is greater than the one before). Raises ValueError for what is no finite
    number, whether or not the other side asked for progress.
    """
    if not _is_number(progress) or not (total is None or _is_number(total)):
        raise ValueError(f"progress and total must be finite numbers, not {progress!r} and {total!r}")
    if asked.token is None or not asked.open or (asked.progress is not None and progress <= asked.progress):
        return None
    asked.progress = progress
    params: JsonObject = {"progressToken": asked.token, "progress": progress}
    if total is not None:
        params["total"] = total
    if message is not None:
        params["message"] = message
    return Notification(PROGRESS, params)


def _brief(value: object) -> str:
    """Return a value of the other side for a log line: an id may be as long as a message."""
    return f"{value!r:.60}"


def _is_number(value: object) -> bool:
    """Whether a value is a number that JSON can say."""
    return type(value) is int or (isinstance(value, float) and math.isfinite(value))
