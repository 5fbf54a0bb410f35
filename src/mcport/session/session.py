"""A session: one connection, driven. Messages in, tasks and promises out.

It owns the peer's books, starts one task for each request of the other side, settles the calls of this side, and keeps
every bound of `Limits`. Methods mean nothing to it: requests go to one `Answer`, notifications to one hook. Below:
`core`, `channel`, `exchange`, `loop`.

Reading never stops because handlers are busy: cancellations and answers must get through. Requests beyond the bound
wait in a queue, and beyond that they are refused.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio

from mcport.core.dialects.handshake import take_apart
from mcport.core.events import Answered, Asked, Call, Progressed, Stray, Told, Withdrawn
from mcport.core.framing import Line, Oversized
from mcport.core.jsonrpc import (
    Batch,
    ErrorResponse,
    JsonObject,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    decode,
    encode,
)
from mcport.core.limits import Limits
from mcport.core.peer import CANCELLED, Peer
from mcport.errors import INTERNAL_ERROR, ProtocolError
from mcport.record import Record

from .channel import Channel
from .exchange import Answer, Exchange, StaysOpen
from .loop import Loop, Promise
from .waiting import Clock, Lost, OnProgress, Overdue, Pending, Settled, Waiter

log: Final = logging.getLogger("mcport.session")


class Hooks(Record, frozen=False):
    """What a session tells its owner. The calls come in the loop's thread, one after the other, and must not wait."""

    told: Callable[[Told], None]
    """A notification that is neither progress nor a cancellation."""
    ended: Callable[[str], None]
    """Nothing more will come, and why. Heard once."""
    malformed: Callable[[Malformed], bool]
    """Something came that is no message; whether the other side is to be told so."""
    serves: Callable[[Asked], bool]
    """Whether a request of the other side is answered at all; if not it is dropped without a word."""
    batches: Callable[[], bool]
    """Whether the conversation may use arrays of messages now."""


class Session:
    """One connection. `answer` answers the other side's requests; `conversation` is carried into each exchange.

    A request that `runs_through` is answered without a task, unless `own_task` is awaited for it.
    """

    def __init__(
        self,
        channel: Channel,
        loop: Loop,
        limits: Limits,
        *,
        answer: Answer,
        hooks: Hooks,
        conversation: object = None,
        runs_through: Callable[[Asked], bool] | None = None,
    ) -> None:
        self.peer = Peer()
        self.loop = loop
        self.conversation = conversation
        self.clock = Clock(loop)
        self._channel = channel
        self._limits = limits
        self._answer = answer
        self._hooks = hooks
        self._runs_through = runs_through
        self._running: set[Exchange] = set()
        self._open: dict[Asked, tuple[Exchange, StaysOpen]] = {}
        self._queue: deque[Asked] = deque()
        self._over: str | None = None
        self._closed = False
        self._quiet: Promise[None] | None = None

    def open(self) -> None:
        """Begin to receive."""
        self._channel.open(self)

    # ---- what comes in (the channel's receiver)

    def receive(self, batch: list[Line]) -> None:
        """Take the messages that arrived together."""
        for line in batch:
            if type(line) is Oversized:
                self._take_oversized(line)
                continue
            message = decode(line)  # type: ignore[arg-type]
            if type(message) is Request:
                self._requested(message)
            elif type(message) is Batch:
                for member in take_apart(message, self._hooks.batches()):
                    self._take(member)
            else:
                self._take(message)  # type: ignore[arg-type]

    def _take_oversized(self, line: Oversized) -> None:
        from mcport.core.oversized import read_oversized  # hardly any conversation needs it

        self._take(read_oversized(line, self._limits.message_bytes))

    def _take(self, message: Message | Malformed) -> None:
        if type(message) is Request:
            self._requested(message)
            return
        if type(message) is Malformed and not self._hooks.malformed(message):
            message.wants_reply = False
        event = self.peer.receive(message)
        if type(event) is Answered:
            self._settle(event)
        elif type(event) is Told:
            self._hooks.told(event)
        elif type(event) is Progressed:
            self._progressed(event)
        elif type(event) is Withdrawn:
            self._withdrawn(event)
        elif type(event) is Stray:
            self._stray(event)

    def _stray(self, event: Stray) -> None:
        log.debug("ignored: %s", event.reason)
        if event.reply is not None:
            self.send(event.reply)

    # ---- requests of the other side

    def _requested(self, request: Request) -> None:
        event = self.peer.receive(request)
        if type(event) is not Asked:
            self._stray(event)  # type: ignore[arg-type]
        elif not self._hooks.serves(event):
            self.peer.drop(event)
            log.debug("ignored: a request %r where none may come", event.method)
        elif len(self._running) < self._limits.requests_in_flight:
            self._begin(Exchange(event, self, self.conversation))
        else:
            self._defer(event)

    def _begin(self, exchange: Exchange) -> None:
        """Answer a request, in a task if it needs one."""
        self._running.add(exchange)
        run = self._serve(exchange, self._answer)
        if self._runs_through is not None and self._runs_through(exchange.asked):
            exchange.taskless = True
            if self.loop.begin(run):
                return
            exchange.taskless = False
        exchange.task = self.loop.spawn_now(run)

    def _defer(self, asked: Asked) -> None:
        """Too much runs already: let a request wait its turn, or refuse it."""
        if len(self._queue) < self._limits.requests_queued:
            self._queue.append(asked)
        else:
            refusal = self.peer.refuse(asked, INTERNAL_ERROR, "Too many requests in flight; try again later")
            if refusal is not None:
                self.send(refusal)

    async def _serve(self, exchange: Exchange, answer: Answer) -> None:
        asked = exchange.asked
        message: Message | None
        try:
            if exchange.cancelled:
                return
            result = await answer(exchange)
            if type(result) is StaysOpen:
                self._keep_open(exchange, result)
                return
            message = self.peer.answer(asked, result)
        except ProtocolError as error:
            message = self.peer.refuse(asked, error.code, error.message, error.data)
        except Exception:
            log.exception("answering %s failed", asked.method)
            message = self.peer.refuse(asked, INTERNAL_ERROR, "Internal error")
        finally:
            self._running.discard(exchange)
            if self._queue:
                self._start_next()
            if self._quiet is not None and not self._running and not self._quiet.done():
                self._quiet.set_result(None)
        if message is not None:
            self.send(message)

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """Have `answer` answer a request whose task does not end; that one is left to itself, and frees its place."""
        exchange.asked.forgiving = True
        self.loop.hold(exchange.task)
        self.loop.keep(self._serve(exchange, answer))

    def _keep_open(self, exchange: Exchange, kept: StaysOpen) -> None:
        """A request is not done, and nobody runs for it."""
        if exchange.asked.open:
            self._open[exchange.asked] = (exchange, kept)

    def _start_next(self) -> None:
        while self._queue and len(self._running) < self._limits.requests_in_flight:
            asked = self._queue.popleft()
            if asked.open:
                exchange = Exchange(asked, self, self.conversation)
                self._running.add(exchange)
                exchange.task = self.loop.spawn(self._serve(exchange, self._answer))

    def _withdrawn(self, event: Withdrawn) -> None:
        if event.asked in self._open:
            self._open.pop(event.asked)[0].cancel(event.reason)
            return
        for exchange in self._running:
            if exchange.asked is event.asked:
                exchange.cancel(event.reason)
                return

    # ---- calls of this side

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Send a request and wait until it is settled, in whatever way.

        It may be silent for so many `seconds`, which progress winds up again, and take `most` in all. Raises ValueError
        for parameters that cannot be JSON. Who is cancelled while waiting withdraws the request.
        """
        if self._over is not None:
            return Lost(self._over)
        pending = Pending(self.loop, self.clock, seconds=seconds, most=most, on_progress=on_progress)
        call, request = self.peer.request(method, params, progress=on_progress is not None, context=pending)
        try:
            self.send(request)
        except ValueError as error:
            # Never sent, so nothing is there to be cancelled (basic/utilities/cancellation).
            pending.stop()
            self.peer.withdraw(call)
            raise ValueError(f"{method}: the parameters cannot be JSON: {error}") from None
        try:
            answer: Settled = await pending.promise
        except BaseException:
            # The caller was cancelled: nobody will want the answer.
            self._withdraw(call, pending, "cancelled by the caller")
            raise
        if type(answer) is Overdue:
            self._withdraw(call, pending, "timed out")
        return answer

    def _withdraw(self, call: Call, pending: Pending, reason: str) -> None:
        pending.stop()
        notification = self.peer.withdraw(call, reason)
        if notification is not None and self._over is None:
            self.send(notification)

    def _settle(self, event: Answered) -> None:
        waiter: Waiter = event.call.context  # type: ignore[assignment]
        waiter.settle(event.answer)

    def _progressed(self, event: Progressed) -> None:
        waiter: Waiter = event.call.context  # type: ignore[assignment]
        waiter.progressed(event)

    # ---- what goes out

    def send(self, message: Message) -> None:
        """Queue a message. Messages of one turn leave together. A value that is not JSON fails its own answer."""
        if self._closed:
            return
        try:
            data = encode(message)
        except ValueError as error:
            if not isinstance(message, Response):
                raise
            log.error("the answer to request %r is not JSON: %s", message.id, error)
            data = encode(ErrorResponse(message.id, INTERNAL_ERROR, "Internal error: the answer is not valid JSON"))
        self._channel.send(data, len(self._running) > 0)
        if self._channel.backlog > self._limits.outbox_hard_bytes:
            self.ended("the other side does not read what it is sent")
            self.stop_running("the connection is gone")

    def tell(self, notification: Notification) -> None:
        """Send a notification; never waits."""
        self.send(notification)

    @property
    def full(self) -> bool:
        """Whether the other side is too slow to take more."""
        return self._channel.backlog >= self._limits.outbox_bytes

    async def drained(self) -> None:
        """Wait while the other side is too slow to take more."""
        if self._channel.backlog >= self._limits.outbox_bytes:
            await self._channel.drain(self._limits.outbox_bytes)

    # ---- the end

    @property
    def over(self) -> str | None:
        """Why the session ended, None while it lives."""
        return self._over

    @property
    def running(self) -> int:
        """How many requests of the other side are being answered."""
        return len(self._running)

    def ended(self, reason: str) -> None:
        """Nothing more will come: fail what waits for an answer and tell the owner. Heard once.

        What runs goes on: the other side may still read. `finish` or `aclose` ends it.
        """
        if self._over is not None:
            return
        self._over = reason
        for call in self.peer.lose_calls():
            waiter: Waiter = call.context  # type: ignore[assignment]
            waiter.lose(reason)
        self.clock.stop()
        self._hooks.ended(reason)

    def stop_running(self, reason: str) -> None:
        """Cancel every request of the other side that is being answered or waits for its turn."""
        self.peer.close_asked()
        self._queue.clear()
        for exchange in [*self._running, *(exchange for exchange, _ in self._open.values())]:
            exchange.cancel(reason)
        self._open.clear()

    def end_open(self, reason: str) -> None:
        """End the requests that stay open: each gets its result and, as streams want it, a cancellation after that.

        (2026-07-28 basic/patterns/subscriptions "Graceful Closure", basic/patterns/cancellation.)
        """
        kept, self._open = self._open, {}
        for asked, (exchange, stays) in kept.items():
            message = self.peer.answer(asked, stays.ending())
            if message is not None:
                self.send(message)
                self.send(Notification(CANCELLED, {"requestId": asked.id, "reason": reason}))
            exchange.cancel(reason)

    async def idle(self, seconds: float) -> bool:
        """Wait until nothing runs, at most so many seconds; return whether it is so."""
        with anyio.move_on_after(seconds):
            while self._running:
                self._quiet = self.loop.promise()
                await self._quiet
        return not self._running

    async def quiet(self, seconds: float) -> bool:
        """Wait until nothing runs and nothing is left to be sent, at most so many seconds; whether nothing runs."""
        with anyio.move_on_after(seconds):
            await self.idle(seconds)
            await self._channel.drain(1)
        return not self._running

    async def finish(self, grace: float, cleanup: float) -> None:
        """End the session politely: let what runs end within `grace` seconds, then stop it and allow `cleanup` more."""
        quiet = await self.quiet(grace)
        self.end_open("the server is shutting down")
        if not quiet:
            self.stop_running("the server is shutting down")
            await self.quiet(cleanup)
        await self.aclose()

    async def aclose(self) -> None:
        """End the session from this side at once. Safe to call twice and from any task."""
        self.ended("closed here")
        self.stop_running("the connection was closed")
        self._closed = True
        await self._channel.aclose()
