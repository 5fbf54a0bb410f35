"""Driving an opening: the steps that the pure conversation asks for, taken on a real connection.

Below: `connection`, `core.dialects.opening`.
"""

from __future__ import annotations

from collections import deque

import anyio

from ..core.dialects.opening import (
    Approach,
    Downgrade,
    Forget,
    Gone,
    Notify,
    Opened,
    OpeningFailed,
    Outcome,
    Ready,
    Refused,
    Replied,
    Restart,
    Send,
    ServerGone,
    Silent,
    Step,
    Wait,
    open_conversation,
)
from ..core.events import Progressed
from ..core.jsonrpc import ErrorResponse, Malformed, Response
from ..core.limits import Limits
from ..errors import ConnectFailed
from ..session.loop import Loop, Promise
from .connection import Connection
from .target import Target


class Mailbox:
    """Outcomes in the order in which they came, for one reader."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._outcomes: deque[Outcome] = deque()
        self._wake: Promise[None] | None = None

    def put(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def clear(self) -> None:
        self._outcomes.clear()

    async def next(self, seconds: float | None) -> Outcome:
        """Wait for the next outcome; `Silent` when none came in so many seconds."""
        with anyio.move_on_after(seconds):
            while not self._outcomes:
                self._wake = self._loop.promise()
                await self._wake
        return self._outcomes.popleft() if self._outcomes else Silent()


class Asking:
    """A request of the opening that waits for its answer (a session's `Waiter`)."""

    def __init__(self, key: str, mailbox: Mailbox) -> None:
        self._key = key
        self._mailbox = mailbox

    def settle(self, answer: Response | ErrorResponse | Malformed) -> None:
        if isinstance(answer, Response) and isinstance(answer.result, dict):
            self._mailbox.put(Replied(self._key, answer.result))
        elif isinstance(answer, ErrorResponse):
            self._mailbox.put(Refused(self._key, answer.code, answer.message, answer.data))
        else:
            reason = answer.reason if isinstance(answer, Malformed) else "the result is not an object"
            self._mailbox.put(Refused(self._key, None, reason))

    def lose(self, reason: str) -> None:
        self._mailbox.put(Gone(reason))

    def progressed(self, event: Progressed) -> None:
        return


class Opening:
    """One attempt to open a conversation with a target."""

    def __init__(self, target: Target, approach: Approach, loop: Loop, limits: Limits) -> None:
        self._target = target
        self._approach = approach
        self._loop = loop
        self._limits = limits
        self._mailbox = Mailbox(loop)
        self._connection: Connection | None = None
        self.phase = "starting"

    async def run(self) -> tuple[Connection, Opened]:
        """Open the conversation. Raises `ConnectFailed`; nothing is left behind then, nor when it is cancelled."""
        try:
            await self._start()
            return await self._converse()
        except OpeningFailed as failure:
            reason = failure.reason if isinstance(failure, ServerGone) else str(failure)
            raise self._target.failed(reason) from None
        finally:
            if self._connection is not None and self._connection.speaker is None:
                with anyio.CancelScope(shield=True):
                    await self._connection.aclose()

    async def _start(self) -> None:
        channel = await self._target.open(self._loop, self._limits)
        self._connection = Connection(self._target, channel, self._loop, self._limits)
        self._connection.session.open()

    async def _converse(self) -> tuple[Connection, Opened]:
        conversation = open_conversation(self._approach)
        outcome: Outcome | None = None
        try:
            while True:
                outcome = await self._take(conversation.send(outcome))
        except StopIteration as stop:
            opened: Opened = stop.value
        assert self._connection is not None
        self._connection.begin(opened, self._approach)
        return self._connection, opened

    async def _take(self, step: Step) -> Outcome | None:
        """Take one step and return what came of it."""
        assert self._connection is not None
        match step:
            case Send(key=key, method=method, params=params):
                self.phase = method
                self._connection.start_asking(method, params, Asking(key, self._mailbox))
            case Notify(method=method):
                self._connection.link.tell(method)
            case Forget():
                pass  # its answer, should it come, finds nobody in the mailbox
            case Wait(seconds=seconds):
                return await self._mailbox.next(seconds)
            case Restart():
                return await self._restart()
            case Downgrade():
                return Gone("this transport has no older form")
        return None

    async def _restart(self) -> Outcome:
        assert self._connection is not None
        await self._connection.aclose()
        self._mailbox.clear()
        try:
            await self._start()
        except ConnectFailed as error:
            return Gone(error.cause)
        return Ready()
