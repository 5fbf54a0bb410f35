"""The way from a client to one server: ask, tell, keep a request open, close.

`Link` is the port: a stream of messages fulfils it as `SessionLink`, HTTP in a room of its own. A link speaks JSON
objects and raises the exceptions of `errors`, each naming the server, the phase and the cause. What the methods mean is
the client's business. Below: `session`, `waiting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final, Protocol, TypeAlias

import anyio

from mcport.core.events import Call
from mcport.core.jsonrpc import ErrorResponse, JsonObject, Malformed, Notification, Response
from mcport.core.limits import Limits
from mcport.core.peer import CANCELLED, NEVER_CANCELLED
from mcport.errors import ConnectionLost, ConversationError, HttpRefused, InvalidAnswer, RemoteError, Timeout
from mcport.record import Record, changed
from mcport.spec.revisions import Revision

from .channel import Channel
from .exchange import Answer
from .loop import Loop
from .session import Hooks, Session
from .waiting import Failed, Lost, OnProgress, Overdue, Refusal, Unanswered, Waiter

LONGEST: Final = 100
"""So much of a name that a request carries stands in an error."""


Losing: TypeAlias = Callable[[str, str, str], ConnectionLost]
"""Makes the error for a connection that is gone: of the phase, the reason and the words that name the request."""


class Owner(Record):
    """Whoever holds a link, as the link sees it: how the server is named, and what is to be told of what comes.

    `answer` answers the server's requests. `renewed` is called when the server had forgotten the conversation, and it
    was begun anew; `missed` when notifications may have been lost on their way; `deaf`, with the reason, when no more
    of those come that belong to no request, until something is asked again. `named` is the parameter that HTTP repeats
    in `Mcp-Name`, by methods of extensions.
    """

    server: str
    answer: Answer
    hooks: Hooks
    lost: Losing
    renewed: Callable[[], None] | None = None
    missed: Callable[[], None] | None = None
    deaf: Callable[[str], None] | None = None
    named: Mapping[str, str] = field(default_factory=dict)


class Link(Protocol):
    """What a conversation needs of the way to its server; HTTP and streams each have their own."""

    @property
    def over(self) -> str | None:
        """Why nothing can be asked any more, None while it can."""
        ...

    def open(self) -> None:
        """Begin to receive."""
        ...

    def begin(self, revision: Revision) -> None:
        """The opening is done: from now on this revision is spoken."""
        ...

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

    def start(self, method: str, params: JsonObject | None, waiter: Waiter) -> Call:
        """Send a request without waiting; what settles it goes to the waiter. What comes for it may bear its id."""
        ...

    async def hears(self) -> None:
        """Wait until what belongs to no request is heard, or for as long as that is worth waiting for."""
        ...

    def drop(self, call: Call, *, tell: bool) -> None:
        """Wait no more for such a request; the server hears of it with `tell`. Harmless once it is settled."""
        ...

    def hold(self) -> None:
        """Let no call grow older in its silence until `release`: the server waits for an answer of this side."""
        ...

    def release(self) -> None:
        """Count silence again, when it was called as often as `hold`."""
        ...

    def give_up(self, reason: str) -> None:
        """Hear nothing more from this server; what is pending fails."""
        ...

    async def aclose(self, *, silently: bool = False) -> None:
        """End the conversation; pending calls fail with `ConnectionLost`, and are withdrawn unless it is `silently`."""
        ...


def link_over(channel: Channel, owner: Owner, loop: Loop, limits: Limits) -> SessionLink:
    """Return the link over a stream of messages."""

    def ended(reason: str) -> None:
        link.ended()
        owner.hooks.ended(reason)
        session.stop_running("the server is gone")

    session = Session(channel, loop, limits, answer=owner.answer, hooks=changed(owner.hooks, ended=ended))
    link = SessionLink(session, channel, server=owner.server, lost=owner.lost, full=limits.outbox_bytes)
    return link


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
        lost: Losing,
        full: int,
    ) -> None:
        self.session = session
        self.server = server
        self._channel = channel
        self._full = full
        self._lost = lost
        self._crowd: set[anyio.CancelScope] = set()
        self.hold, self.release = session.clock.hold, session.clock.release
        self.give_up = session.ended

    @property
    def over(self) -> str | None:
        return self.session.over

    def open(self) -> None:
        self.session.open()

    def begin(self, revision: Revision) -> None:
        # A stateless server never asks, so nothing is answered: not even a request that is broken.
        self.session.peer.serves = revision.era == "handshake"

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
        raise failure_of(answer, method, subject_of(method, params), self.server, self._lost)

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        if self.session.over is None:
            self.session.send(Notification(method, params))

    def start(self, method: str, params: JsonObject | None, waiter: Waiter) -> Call:
        call, request = self.session.peer.request(method, params, context=waiter)
        if self.session.over is not None:
            waiter.lose(self.session.over)
        else:
            self.session.send(request)
        return call

    async def hears(self) -> None:
        """One channel brings everything."""

    def drop(self, call: Call, *, tell: bool) -> None:
        notification = self.session.peer.withdraw(call)
        if tell and notification is not None and self.session.over is None:
            self.session.send(notification)

    async def aclose(self, *, silently: bool = False) -> None:
        if self.session.over is None and not silently:
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
            raise failure_of(Overdue(cause), method, subject_of(method, params), self.server, self._lost)


def failure_of(
    answer: Unanswered | Refusal | Failed, method: str, subject: str, server: str, lost: Losing
) -> ConversationError:
    """Return the error of a call that ended in any way but with a result: it names server, phase and cause."""
    where = f"{subject} on server '{server}'"
    match answer:
        case ErrorResponse(code=code, message=message, data=data):
            error = RemoteError(message, code=code, data=data, server=server, phase=method)
            error.add_note(where)
            return error
        case Refusal(error=ErrorResponse() as answered):
            return failure_of(answered, method, subject, server, lost)
        case Refusal(status=status, reason=reason, retry_after=again):
            return HttpRefused(
                f"{where}: {reason}", status=status, retry_after=again, server=server, phase=method, cause=reason
            )
        case Failed(error=own):
            return own
        case Lost(reason=reason):
            return lost(method, reason, subject)
        case Overdue(cause=cause):
            return Timeout(f"{where}: {cause}", server=server, phase=method, cause=cause)
        case Malformed(reason=reason):
            return InvalidAnswer(f"{where}: {reason}", server=server, phase=method, cause=reason)


def subject_of(method: str, params: JsonObject | None) -> str:
    """Return what a request is about, as errors name it: "tools/call book", or just the method if it names nothing."""
    named: Any = (params or {}).get("ref", params)
    name = named.get("name", named.get("uri")) if isinstance(named, dict) else None
    if not isinstance(name, str) or not name:
        return method
    return f"{method} {name if name.isprintable() else repr(name):.{LONGEST}}"
