"""Driving an opening: the steps that the pure conversation asks for, taken on a real connection.

Below: `connection`, `core.dialects.opening`.
"""

from __future__ import annotations

from collections import deque

import anyio

from mcport.core.dialects.opening import (
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
    Silent,
    Step,
    Wait,
    open_conversation,
)
from mcport.core.dialects.speaking import Speaker
from mcport.core.events import Call, Progressed
from mcport.core.jsonrpc import ErrorResponse, JsonObject, Malformed, Response
from mcport.core.limits import Limits
from mcport.errors import ConversationError, Timeout
from mcport.session.loop import Loop, Promise
from mcport.session.waiting import Arrived, Failed, Refusal
from mcport.spec.revisions import REVISIONS, STATELESS, Revision

from .connection import Connection
from .failures import Failures, Remains
from .standstill import Standstill
from .target import Contact, Target


class Mailbox:
    """Outcomes in the order in which they came, for one reader."""

    def __init__(self, loop: Loop, time: Standstill) -> None:
        self._loop = loop
        self._time = time
        self._outcomes: deque[Outcome | ConversationError] = deque()
        self._wake: Promise[None] | None = None

    def put(self, outcome: Outcome | ConversationError) -> None:
        """Take an outcome in, or the error that ends the opening."""
        self._outcomes.append(outcome)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def clear(self) -> None:
        """Throw away what came and was not read."""
        self._outcomes.clear()

    async def next(self, seconds: float | None) -> Outcome:
        """Wait for the next outcome; `Silent` when none came in so many seconds. Raises an error that was taken in."""
        with self._time.within(seconds):
            while not self._outcomes:
                self._wake = self._loop.promise()
                await self._wake
        outcome = self._outcomes.popleft() if self._outcomes else Silent()
        if isinstance(outcome, ConversationError):
            raise outcome
        return outcome


class Asking:
    """A request of the opening that waits for its answer (a session's `Waiter`)."""

    def __init__(self, key: str, mailbox: Mailbox, connection: Connection) -> None:
        self._key = key
        self._mailbox = mailbox
        self._connection = connection

    def settle(self, answer: Arrived) -> None:
        """The answer is here."""
        if isinstance(answer, Response) and isinstance(answer.result, dict):
            self._foresee(answer.result)
            self._mailbox.put(Replied(self._key, answer.result))
        else:
            self._mailbox.put(answer.error if isinstance(answer, Failed) else _refused(self._key, answer))

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self._mailbox.put(Gone(reason))

    def progressed(self, event: Progressed) -> None:
        """Nobody asked for progress."""

    def _foresee(self, result: JsonObject) -> None:
        """Let the connection know at once what will be spoken: the next message may be in this very batch."""
        if self._connection.speaker is None:
            self._connection.expected = _spoken(result)


def _refused(key: str, answer: Response | ErrorResponse | Malformed | Refusal) -> Refused:
    """Return what the opening is to know of an answer that is no result."""
    status = answer.status if isinstance(answer, Refusal) else None
    error = answer.error if isinstance(answer, Refusal) else answer
    if isinstance(error, ErrorResponse):
        return Refused(key, error.code, error.message, error.data, status)
    reason = answer.reason if isinstance(answer, Malformed | Refusal) else "the result is not an object"
    return Refused(key, None, reason, http_status=status)


def _spoken(result: JsonObject) -> Revision | None:
    """Return the revision, or one of the era, that the result of an opening stands for."""
    name = result.get("protocolVersion")
    if isinstance(name, str):
        return REVISIONS.get(name)
    return STATELESS[0] if "supportedVersions" in result else None


class Opening:
    """One attempt to open a conversation with a target."""

    def __init__(self, target: Target, approach: Approach, loop: Loop, limits: Limits) -> None:
        self._target = target
        self._approach = approach
        self._loop = loop
        self._limits = limits
        self.time = Standstill()
        """Runs while the server is waited for, and stands still while the person is."""
        self._mailbox = Mailbox(loop, self.time)
        self._contact: Contact | None = None
        self._connection: Connection | None = None
        self._remains = Remains()
        self._calls: dict[str, Call] = {}

    async def run(self) -> tuple[Connection, Opened]:
        """Open the conversation. Raises `ConnectFailed`; nothing is left behind then, nor when it is cancelled."""
        try:
            await self._start()
            return await self._converse()
        except OpeningFailed as failure:
            assert self._contact is not None
            raise self._contact.failed(failure) from self._contact.remains().error
        finally:
            if self._connection is not None and self._connection.speaker is None:
                self._remains = self._connection.remains
                with anyio.CancelScope(shield=True):
                    await self._connection.aclose()

    def silent(self, seconds: float) -> Timeout:
        """Return the error for an attempt that was given up after so many seconds."""
        waited_for = " or ".join(call.method for call in self._calls.values()) or "the start"
        count = self._connection.bad_lines if self._connection is not None else 0
        if count:
            lines = "a line that is no message" if count == 1 else f"{count} lines that are no messages"
            waited_for += f" (it sent {lines})"
        return Failures(self._target.name).silent(waited_for, seconds, self._remains)

    async def _start(self) -> None:
        self._begin(await self._target.reach(self._loop, self._limits))

    def _begin(self, contact: Contact) -> None:
        self._calls.clear()
        self._contact = contact
        contact.attend(self.time)
        self._connection = Connection(self._target.name, contact, self._loop, self._limits, self._approach.named)
        self._connection.link.open()

    async def _converse(self) -> tuple[Connection, Opened]:
        assert self._contact is not None
        conversation = open_conversation(self._contact.advised(self._approach))
        outcome: Outcome | None = None
        try:
            while True:
                outcome = await self._take(conversation.send(outcome))
        except StopIteration as stop:
            opened: Opened = stop.value
        assert self._connection is not None
        approach, revision = self._approach, opened.revision
        capabilities = approach.capabilities(revision)
        speaker = Speaker(revision, approach.info(revision), capabilities, approach.result_types)
        self._connection.begin(speaker, opened.capabilities)
        self._contact.opened(revision)
        return self._connection, opened

    async def _take(self, step: Step) -> Outcome | None:
        """Take one step and return what came of it."""
        connection = self._connection
        assert connection is not None
        match step:
            case Send(key=key, method=method, params=params):
                asking = Asking(key, self._mailbox, connection)
                self._calls[key] = connection.link.start(method, params, asking)
            case Notify(method=method):
                connection.link.tell(method)
            case Forget(key=key):
                connection.link.drop(self._calls[key], tell=False)
            case Wait(seconds=seconds):
                return await self._mailbox.next(seconds)
            case Restart(reason=reason):
                return await self._restart(reason)
            case Downgrade():
                return await self._downgrade()
        return None

    async def _restart(self, reason: str) -> Outcome:
        if not self._target.restarts:
            return Gone(reason)
        assert self._connection is not None
        await self._connection.aclose()
        self._mailbox.clear()
        await self._start()
        return Ready()

    async def _downgrade(self) -> Outcome:
        """Go on over the older transport, where the server speaks that."""
        assert self._contact is not None
        assert self._connection is not None
        older = await self._contact.older(self._loop, self._limits)
        if isinstance(older, str):
            return Gone(older)
        await self._connection.aclose()
        self._mailbox.clear()
        self._begin(older)
        return Ready()
