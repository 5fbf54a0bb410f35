"""What a peer learns from one incoming message.

Values only: who receives them decides what to do. Below: the messages of `jsonrpc`.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from mcport.record import Record

from .jsonrpc import ErrorResponse, Id, JsonObject, Malformed, Response


class Asked(Record, frozen=False, eq=False):
    """The other side asks; the book of incoming requests is open for this id until it is answered or withdrawn.

    `token` is the progress token that the other side gave, `progress` the last value that was reported for it. Once it
    is not `open` any more, only a `forgiving` one lets a further answer pass: it was taken back or dropped, or somebody
    else answered in place of who was to do it.
    """

    id: Id
    method: str
    params: JsonObject
    token: Id | None = None
    progress: float | None = None
    open: bool = True
    forgiving: bool = False


class Told(Record, frozen=False):
    """The other side says something and wants no answer."""

    method: str
    params: JsonObject


class Call(Record, frozen=False, eq=False):
    """A request of ours: what the book of outgoing requests holds until it is settled.

    `context` is the driver's: whoever waits, and for how long.
    """

    id: Id
    method: str
    wants_progress: bool = False
    context: object = None


class Answered(Record, frozen=False):
    """A call of ours is settled: by its result, by an error, or by something that is no answer."""

    call: Call
    answer: Response | ErrorResponse | Malformed


class Progressed(Record, frozen=False):
    """A call of ours makes progress; waiting for it may begin anew."""

    call: Call
    progress: float
    total: float | None
    message: str | None
    params: JsonObject = field(default_factory=dict)


class Withdrawn(Record, frozen=False):
    """The other side takes its request back: the book is closed, nothing more is sent for it."""

    asked: Asked
    reason: str | None


class Stray(Record, frozen=False):
    """A message that fits nothing here. `reply` is the error that it deserves, if it deserves one."""

    reason: str
    reply: ErrorResponse | None = None


Event: TypeAlias = Asked | Told | Answered | Progressed | Withdrawn | Stray
