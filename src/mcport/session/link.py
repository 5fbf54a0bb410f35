"""The way from a client to one server: ask, tell, close.

A link speaks JSON objects and raises the exceptions of `errors`, each naming the server, the phase and the cause. What
the methods mean is the client's business. Below: `session`, `waiting`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import anyio

from mcport.core.jsonrpc import ErrorResponse, JsonObject, Malformed, Notification, Response
from mcport.core.peer import CANCELLED, NEVER_CANCELLED
from mcport.errors import ConnectionLost, ConversationError, InvalidAnswer, RemoteError, Timeout

from .channel import Channel
from .session import Session
from .waiting import Lost, OnProgress, Overdue

LONGEST: Final = 100
"""So much of a name that a request carries stands in an error."""


class Link(Protocol):
    """Three verbs towards a server; HTTP and streams each have their own."""

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        """Send a request and return its result as it came.

        It may be silent for so many `seconds`, which progress winds up again, and take `most` in all. Raises
        `RemoteError`, `Timeout`, `ConnectionLost` or `InvalidAnswer`; ValueError for parameters that cannot be JSON. A
        caller that is cancelled while it waits withdraws the request.
        """
        ...

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        """Send a notification; never waits."""
        ...

    async def aclose(self) -> None:
        """End the conversation; pending calls are withdrawn and fail with `ConnectionLost`."""
        ...


class SessionLink:
    """A link over a session and its channel.

    `server` is how the user named the other side; `lost` makes the error for a phase, a reason and the words that name
    the request; a caller waits while `full` bytes or more wait to be read by the other side.
    """

    def __init__(
        self,
        session: Session,
        channel: Channel,
        *,
        server: str,
        lost: Callable[[str, str, str], ConnectionLost],
        full: int,
    ) -> None:
        self.session = session
        self.server = server
        self._channel = channel
        self._full = full
        self._lost = lost
        self._crowd: set[anyio.CancelScope] = set()

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        if self._channel.backlog >= self._full and self.session.over is None:
            await self._room(method, params, seconds)
        answer = await self.session.ask(method, params, seconds=seconds, most=most, on_progress=on_progress)
        if isinstance(answer, Response):
            return answer.result
        raise self._failure(method, subject_of(method, params), answer)

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        if self.session.over is None:
            self.session.send(Notification(method, params))

    async def aclose(self) -> None:
        if self.session.over is None:
            self._withdraw_all()
        await self.session.aclose()

    def ended(self) -> None:
        """The session is over (the owner's hook): wake those who wait for the other side to read."""
        for scope in self._crowd:
            scope.cancel()

    def _withdraw_all(self) -> None:
        """Tell the server that nobody waits any more, so that it ends the sooner."""
        for call in self.session.peer.lose_calls():
            call.context.lose("closed here")  # type: ignore[attr-defined]  # a `Waiter`, which the core does not know
            if call.method not in NEVER_CANCELLED:
                params: JsonObject = {"requestId": call.id, "reason": "the client is closing"}
                self.session.send(Notification(CANCELLED, params))

    async def _room(self, method: str, params: JsonObject | None, seconds: float | None) -> None:
        """Wait until the other side has read what it was sent before."""
        with anyio.move_on_after(seconds) as scope:
            self._crowd.add(scope)
            try:
                await self._channel.drain(self._full)
            finally:
                self._crowd.discard(scope)
        if self.session.over is not None:
            raise self._lost(method, self.session.over, subject_of(method, params))
        if scope.cancelled_caught:
            cause = f"the server did not read what it was sent within {seconds:g} s"
            raise self._failure(method, subject_of(method, params), Overdue(cause))

    # ---- errors, each naming the server, the phase and the cause

    def _failure(
        self, method: str, subject: str, answer: ErrorResponse | Malformed | Lost | Overdue
    ) -> ConversationError:
        where = f"{subject} on server '{self.server}'"
        match answer:
            case ErrorResponse(code=code, message=message, data=data):
                error = RemoteError(message, code=code, data=data, server=self.server, phase=method)
                error.add_note(where)
                return error
            case Lost(reason=reason):
                return self._lost(method, reason, subject)
            case Overdue(cause=cause):
                return Timeout(f"{where}: {cause}", server=self.server, phase=method, cause=cause)
            case Malformed(reason=reason):
                return InvalidAnswer(f"{where}: {reason}", server=self.server, phase=method, cause=reason)


def subject_of(method: str, params: JsonObject | None) -> str:
    """Return what a request is about, as errors name it: "tools/call book", or just the method if it names nothing."""
    named: Any = (params or {}).get("ref", params)
    name = named.get("name", named.get("uri")) if isinstance(named, dict) else None
    if not isinstance(name, str) or not name:
        return method
    return f"{method} {name if name.isprintable() else repr(name):.{LONGEST}}"
