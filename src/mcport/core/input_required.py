"""The value that stands for "answer these first": a request that was not finished because it needs input.

A handler returns one to ask by hand; a client that does not drive the rounds itself is given one, to store and to
resume elsewhere (2026-07-28 basic/patterns/mrtr). Below: `jsonrpc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .jsonrpc import JsonObject


class Question(Protocol):
    """Something that a server may ask of a client's user, model or roots; `method` names the request."""

    @property
    def method(self) -> str: ...


@dataclass(slots=True)
class InputRequired:
    """A request needs answers before it can be finished.

    `questions` are keyed by names that the server chose: question objects, or requests as on the wire (objects with
    `method` and `params`). `state` is the server's and comes back unread. `call` is set on the client's side: method
    and parameters of the request, which is to be sent again with the answers.
    """

    questions: Mapping[str, Question | JsonObject] = field(default_factory=dict)
    state: str | None = None
    call: JsonObject | None = None
