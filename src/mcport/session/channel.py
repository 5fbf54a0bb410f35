"""Where messages come from and go to, as a session sees it.

`Transport` is the public port: three verbs, for users who bring a transport of their own. `Channel` is what a session
drives: it pushes whole batches of lines in and takes bytes without waiting. `TransportChannel` makes the one from the
other. A channel knows bytes; that they are JSON is the session's business. Below: `loop`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias, runtime_checkable

import anyio

from mcport.core.framing import EDGE, Line, Oversized

from .loop import Loop, Promise

log: Final = logging.getLogger("mcport.session")

LINGER_SECONDS: Final = 0.5
"""How long a transport that is being closed may go on sending what it was given before."""

CLOSE_SECONDS: Final = 2.0
"""How long a transport may take to let go of everything."""

BROKEN_SECONDS: Final = 1.0
"""How long the other side may go on sending once it takes nothing any more: its last words may be under way."""

BROKEN: Final = "the other side takes no more messages"


class EndOfStream(Exception):
    """Raise it in `Transport.receive` when the other side is done; its text says why."""


class NotTaken(Exception):
    """Raise it in `Transport.send` when the other side refuses one message and goes on.

    `answer` is heard in place of what it would have answered, None where it would have said nothing.
    """

    def __init__(self, reason: str, answer: bytes | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


@runtime_checkable
class Transport(Protocol):
    """A way to move messages, brought by the user. One message is one `bytes` of UTF-8 JSON without newlines.

    (2026-07-28 basic/transports, "Custom transports": the format of messages and the order of the lifecycle stay.)
    """

    async def receive(self) -> Line:
        """Wait for the next message and return it; raise `EndOfStream` when there will be no more.

        An `Oversized` stands for a message that was too long to be kept.
        """
        ...

    async def send(self, message: bytes) -> None:
        """Send one message; return when the next one may follow (this is the back-pressure)."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; pending `receive` and `send` calls are cancelled by the caller."""
        ...


class Receiver(Protocol):
    """Who a channel delivers to. Both calls come in the loop's thread and never raise."""

    def receive(self, batch: list[Line]) -> None:
        """Take the messages that arrived together."""
        ...

    def ended(self, reason: str) -> None:
        """Hear, once, that nothing more will come, and why."""
        ...


class Channel(Protocol):
    """A duplex stream of messages that pushes."""

    def open(self, receiver: Receiver) -> None:
        """Begin to deliver."""
        ...

    def send(self, message: bytes, more: bool = False) -> None:
        """Queue a message; never waits.

        It leaves at once, but with `more` in the loop's next turn, together with others. What is sent while a batch
        is being delivered leaves together when the batch is through.
        """
        ...

    @property
    def backlog(self) -> int:
        """How many bytes wait for the other side."""
        ...

    async def drain(self, below: int) -> None:
        """Wait until fewer than so many bytes wait, or the channel is closed."""
        ...

    async def aclose(self) -> None:
        """Send what can be sent at once, then let go of everything. Safe to call twice and from any task."""
        ...


class Backlog:
    """Counts bytes that wait, and wakes those who wait for fewer."""

    __slots__ = ("_loop", "_waiting", "bytes")

    def __init__(self, loop: Loop) -> None:
        self.bytes = 0
        self._loop = loop
        self._waiting: list[tuple[int, Promise[None]]] = []

    async def below(self, bound: int) -> None:
        """Wait until fewer than `bound` bytes are counted."""
        while self.bytes >= bound > 0:
            entry = (bound, self._loop.promise())
            self._waiting.append(entry)
            try:
                await entry[1]
            except BaseException:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                raise

    def set(self, count: int) -> None:
        """Count `count` bytes from now on."""
        self.bytes = count
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        still: list[tuple[int, Promise[None]]] = []
        for bound, promise in self._waiting:
            if promise.done():
                continue
            if self.bytes < bound:
                promise.set_result(None)
            else:
                still.append((bound, promise))
        self._waiting = still


class TransportChannel:
    """A channel over a transport of the user: one task receives, one sends.

    Whatever the transport raises ends the connection and is told as its reason; nothing of it reaches the loop.
    """

    def __init__(self, transport: Transport, loop: Loop, limit: int) -> None:
        self._transport = transport
        self._loop = loop
        self._limit = limit
        self._outbox: deque[bytes] = deque()
        self._backlog = Backlog(loop)
        self._wake: Promise[None] | None = None
        self._receiving, self._sending = anyio.CancelScope(), anyio.CancelScope()
        self._tasks = 0
        self._idle = anyio.Event()
        self._receiver: Receiver | None = None
        self._closed = False
        self._broken = False
        self._told = False

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._tasks = 2
        self._loop.keep(self._receive(receiver))
        self._loop.keep(self._send())

    @property
    def backlog(self) -> int:
        return self._backlog.bytes

    def send(self, message: bytes, more: bool = False) -> None:
        if self._closed or self._broken:
            return
        self._outbox.append(message)
        self._backlog.set(self._backlog.bytes + len(message))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def drain(self, below: int) -> None:
        await self._backlog.below(below)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        with anyio.CancelScope(shield=True):
            if self._receiver is not None and not self._broken:
                with anyio.move_on_after(LINGER_SECONDS):
                    await self._backlog.below(1)
            self._receiving.cancel()
            self._sending.cancel()
            self._drop()
            with anyio.move_on_after(CLOSE_SECONDS):
                if self._tasks:
                    await self._idle.wait()
            with anyio.move_on_after(CLOSE_SECONDS):
                await self._close_transport()

    async def _close_transport(self) -> None:
        try:
            await self._transport.aclose()
        except Exception:
            log.warning("closing the transport failed", exc_info=True)

    # ---- the two tasks

    async def _receive(self, receiver: Receiver) -> None:
        reason = "the transport was cancelled"
        try:
            with self._receiving:
                while not self._closed:
                    receiver.receive([self._bounded(await self._transport.receive())])
            reason = "closed here"
        except EndOfStream as end:
            reason = str(end) or "the other side closed the connection"
        except Exception as error:
            reason = f"the transport failed: {str(error) or type(error).__name__}"
        finally:
            self._task_ended()
            self._tell(reason)

    async def _send(self) -> None:
        reason = "the transport was cancelled"
        try:
            with self._sending:
                while True:
                    await self._send_all()
                    self._wake = self._loop.promise()
                    await self._wake
            reason = "closed here"
        except Exception as error:
            reason = f"the transport cannot send: {str(error) or type(error).__name__}"
        finally:
            # What comes from somebody who cannot be answered is not wanted either.
            self._broken = True
            self._drop()
            self._task_ended()
            self._tell(reason)
            self._receiving.cancel()

    async def _send_all(self) -> None:
        while self._outbox:
            message = self._outbox.popleft()
            try:
                await self._transport.send(message)
            except NotTaken as refused:
                self._refused(refused)
            self._backlog.set(max(self._backlog.bytes - len(message), 0))

    def _refused(self, refused: NotTaken) -> None:
        log.info("the other side did not take a message: %s", refused)
        if refused.answer is not None and self._receiver is not None:
            self._receiver.receive([refused.answer])

    def _drop(self) -> None:
        self._outbox.clear()
        self._backlog.set(0)

    def _task_ended(self) -> None:
        self._tasks -= 1
        if self._tasks == 0:
            self._idle.set()

    def _tell(self, reason: str) -> None:
        if not self._told and self._receiver is not None:
            self._told = True
            self._receiver.ended(reason)

    def _bounded(self, message: object) -> Line:
        if isinstance(message, Oversized):
            return message
        if not isinstance(message, bytes):
            raise TypeError(f"receive() returned {type(message).__name__}, not bytes")
        if len(message) <= self._limit:
            return message
        return Oversized(len(message), message[:EDGE], message[-EDGE:])


Trace: TypeAlias = Callable[[str, bytes], None]
"""Called with "->" or "<-" and the bytes of a message as it passes."""


class TracedChannel:
    """Another channel, whose messages are shown as they pass. The one place where pairs of messages can be watched."""

    def __init__(self, channel: Channel, trace: Trace) -> None:
        self._channel = channel
        self._trace = trace
        self._receiver: Receiver | None = None

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._channel.open(self)

    def send(self, message: bytes, more: bool = False) -> None:
        self._trace("->", message)
        self._channel.send(message, more)

    @property
    def backlog(self) -> int:
        return self._channel.backlog

    async def drain(self, below: int) -> None:
        await self._channel.drain(below)

    async def aclose(self) -> None:
        await self._channel.aclose()

    def receive(self, batch: list[Line]) -> None:
        for line in batch:
            self._trace("<-", line if isinstance(line, bytes) else line.head)
        assert self._receiver is not None
        self._receiver.receive(batch)

    def ended(self, reason: str) -> None:
        assert self._receiver is not None
        self._receiver.ended(reason)
