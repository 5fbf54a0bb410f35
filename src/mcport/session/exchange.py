"""One request while it is being answered, and the one callable type that everything which answers speaks.

An exchange knows what was asked, on which conversation, and how to say something back on the way. It does not know
how the bytes travel. Below: `core`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import coroutine
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, runtime_checkable

from mcport.core.events import Asked
from mcport.core.jsonrpc import JsonObject, Notification, Raw
from mcport.core.peer import progress_of
from mcport.record import Record

if TYPE_CHECKING:
    from .loop import Loop
    from .waiting import OnProgress, Settled

log: Final = logging.getLogger("mcport.session")


class Outlet(Protocol):
    """Where an exchange says something, or asks back, on the way to its answer."""

    loop: Loop

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Send a request that belongs to the exchange (handshake era) and wait until it is settled, in whatever way."""
        ...

    def tell(self, notification: Notification) -> None:
        """Send a notification that belongs to the exchange; never waits."""
        ...

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """Have `answer` answer a request in place of who was to do it, and who is left to itself from now on."""
        ...

    @property
    def full(self) -> bool:
        """Whether the other side is too slow to take more."""
        ...

    async def drained(self) -> None:
        """Wait while the other side is too slow to take more."""
        ...


@runtime_checkable
class HangsUp(Protocol):
    """An outlet that can let the client go before its answer is there, because the client comes back for it."""

    def hang_up(self, retry: float | None) -> None:
        """Let the client go, and ask it to come back after so many seconds. Harmless where it does not come back."""
        ...


@runtime_checkable
class Outlived(Protocol):
    """An outlet that is gone with its request, while the client is still there."""

    def teller(self) -> Callable[[Notification], None]:
        """Return what tells the client something now or later, and keeps nothing of the request. Used in the loop."""
        ...


class Pausable(Protocol):
    """Time that runs for a request and can be made to stand still."""

    def hold(self) -> None:
        """Stand still: somebody else is being waited for. May be said several times."""
        ...

    def release(self) -> None:
        """Go on, once this was said as often as `hold`."""
        ...


class Stopping(Protocol):
    """Something that runs and can be stopped: whoever runs it sets `stop`, once it is not `cancelled` already."""

    stop: Callable[[], object] | None
    cancelled: bool


class Exchange:
    """One request that is being answered.

    `conversation` is what the dialects keep for the connection. Whoever runs the handler sets `stop` to what stops it:
    the `cancel` of a scope that the handler's own task entered. `cancelled` says that the other side withdrew the
    request or is gone. `headers` are those of the HTTP request that brought it, None elsewhere; `principal` is on whose
    behalf it came, None where nobody asked for authorization. `asker` asks back for it, once somebody needed that.
    While it is `taskless`, nothing that answers it may wait, but for `own_task`.
    """

    __slots__ = (
        "admitted",
        "asked",
        "asker",
        "came",
        "cancelled",
        "conversation",
        "deadline",
        "headers",
        "outlet",
        "principal",
        "reason",
        "stop",
        "task",
        "taskless",
    )

    def __init__(self, asked: Asked, outlet: Outlet, conversation: object) -> None:
        self.asked = asked
        self.outlet = outlet
        self.conversation = conversation
        self.admitted: object = None
        self.stop: Callable[[], object] | None = None
        self.task: object = None
        self.taskless = False
        self.cancelled = False
        self.reason: str | None = None
        self.headers: Mapping[str, str] | None = None
        self.principal: str | None = None
        self.asker: object = None

    deadline: Pausable
    """The time-out under which its handler runs; not set where there is none: `standing_still` looks."""

    came: JsonObject
    """The parameters as they came; not set unless somebody may have changed them on their way: `sent` looks."""

    @property
    def sent(self) -> JsonObject:
        """The parameters as the other side sent them."""
        return getattr(self, "came", self.asked.params)

    def standing_still(self) -> AbstractContextManager[object]:
        """Let the handler's time-out stand still, if it has one: a question of this request is open."""
        deadline: Pausable | None = getattr(self, "deadline", None)
        return nullcontext() if deadline is None else _held(deadline)

    @property
    def outermost(self) -> Exchange:
        """The request of the other side for which this one is made: itself, unless a handler made it."""
        return self

    def __repr__(self) -> str:
        return f"<Exchange {self.asked.method} {self.asked.id!r}>"

    def cancel(self, reason: str | None = None) -> None:
        """The other side no longer wants an answer: stop the handler, if it can be stopped."""
        if not self.cancelled:
            log.debug(
                "%s (request %r) is withdrawn: %.200s", self.asked.method, self.asked.id, reason or "no reason given"
            )
            self.cancelled = True
            self.reason = reason
            if self.stop is not None:
                self.stop()

    def notify(self, method: str, params: JsonObject | Raw | None = None) -> None:
        """Send a notification that belongs to this request, unless it is settled already."""
        if self.asked.open:
            self.outlet.tell(Notification(method, params))

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> bool:
        """Report progress; return whether anything was sent."""
        notification = progress_of(self.asked, progress, total, message)
        if notification is not None:
            self.outlet.tell(notification)
        return notification is not None


@coroutine
def own_task() -> Generator[None, None, None]:
    """Go on in a task of one's own: to be awaited, once, while an exchange is `taskless` and something must wait."""
    yield


class StaysOpen(Record, frozen=False):
    """What answers a request that is not done when its handler is: it stays open, and nobody runs for it.

    It is over when the other side withdraws it, of which `Exchange.stop` is told, or when this side ends the
    conversation: then `ending` makes the result (2026-07-28 basic/patterns/subscriptions).
    """

    ending: Callable[[], object]


@contextmanager
def _held(deadline: Pausable) -> Iterator[None]:
    deadline.hold()
    try:
        yield
    finally:
        deadline.release()


Answer: TypeAlias = Callable[[Exchange], Awaitable[object]]
"""Answer this exchange: return the result or `StaysOpen`, or raise a `ProtocolError`.

Kernel, middleware and doors all speak it.
"""
