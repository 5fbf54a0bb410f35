"""A question as it is posed in one run: its key, its words on the wire, and when an answer is good enough.

Below: `questions`, `core.asking`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from mcport.core.asking.canonical import digest
from mcport.core.asking.form_values import Unfit
from mcport.core.jsonrpc import JsonObject, dump

from .questions import Asking

Check: TypeAlias = Callable[[], "bool | Awaitable[bool]"]
"""Says whether by now something is done."""


class Posed:
    """One question of a run. `until` makes an accepted answer count only once it says so."""

    __slots__ = ("_until", "key", "method", "print", "question", "text", "typed", "wire")

    def __init__(self, question: Asking, wire: JsonObject, until: Check | None = None) -> None:
        self.question = question
        self.method = question.method
        self.text = question.text
        self.wire = wire
        self.print = digest([self.method, {key: each for key, each in wire.items() if key != "elicitationId"}])
        self.key = ""
        self.typed: Any = None
        self._until = until

    @property
    def request(self) -> JsonObject:
        """The question as it stands among input requests."""
        return {"method": self.method, "params": self.wire} if self.wire else {"method": self.method}

    async def judge(self, answer: object) -> bool:
        """Read an answer into `typed`; return whether it is enough. Raises `Unfit`."""
        self.typed = self.question.read(check_sound(answer))
        if self._until is None or not self.typed.accepted:
            return True
        return await truth(self._until)


def check_sound(answer: object) -> JsonObject:
    """Return an answer that can be kept, whatever it says. Raises `Unfit` for any other."""
    if not isinstance(answer, dict):
        raise Unfit("is no object")
    try:
        dump(answer)
    except ValueError:
        raise Unfit("has a number that is infinite") from None
    return answer


async def truth(check: Check) -> bool:
    """Return what a check says, which may be a coroutine function."""
    found = check()
    return bool(found if isinstance(found, bool) else await found)
