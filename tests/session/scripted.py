"""A session over a channel that a test plays: what is sent is kept, what is received is what the test says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import jiter

from mcport.core.dialects.contract import Conversation
from mcport.core.events import Asked, Told
from mcport.core.framing import Line
from mcport.core.jsonrpc import Malformed
from mcport.core.limits import SERVER_LIMITS, Limits
from mcport.session.channel import Receiver
from mcport.session.exchange import Exchange
from mcport.session.loop import current_loop
from mcport.session.session import Hooks, Session


class ScriptedChannel:
    """Keeps what is sent as parsed JSON; `say` delivers, `end` ends. `backlog` is what the test makes it."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.backlog = 0
        self.closed = 0
        self.receiver: Receiver | None = None
        self.drained = anyio.Event()

    def open(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, message: bytes, more: bool = False) -> None:
        assert b"\n" not in message
        self.sent.append(jiter.from_json(message))

    async def drain(self, below: int) -> None:
        if self.backlog >= below:
            await self.drained.wait()

    async def aclose(self) -> None:
        self.closed += 1

    def say(self, *lines: Line) -> None:
        """Deliver lines that arrive together."""
        assert self.receiver is not None
        self.receiver.receive(list(lines))

    def end(self, reason: str = "the other side closed the connection") -> None:
        assert self.receiver is not None
        self.receiver.ended(reason)


async def refuse(exchange: Exchange) -> object:
    raise AssertionError(f"nobody should ask: {exchange}")


class Played:
    """A session under test, with what its hooks heard."""

    def __init__(
        self,
        answer: Callable[[Exchange], Awaitable[object]] = refuse,
        limits: Limits = SERVER_LIMITS,
        *,
        serves: bool = True,
        batches: bool = False,
        replies: bool = True,
    ) -> None:
        self.told: list[Told] = []
        self.ended: list[str] = []
        self.malformed: list[Malformed] = []
        self.channel = ScriptedChannel()
        self._serves, self._batches, self._replies = serves, batches, replies
        hooks = Hooks(
            told=self.told.append,
            ended=self.ended.append,
            malformed=self._heard_malformed,
            serves=self._serves_asked,
            batches=lambda: self._batches,
        )
        self.session = Session(
            self.channel, current_loop(), limits, answer=answer, hooks=hooks, conversation=Conversation()
        )
        self.session.open()

    def _heard_malformed(self, message: Malformed) -> bool:
        self.malformed.append(message)
        return self._replies

    def _serves_asked(self, asked: Asked) -> bool:
        return self._serves


def request(id: int | str, method: str = "work", params: str = "{}") -> bytes:
    """The bytes of a request."""
    name = f'"{id}"' if isinstance(id, str) else str(id)
    return f'{{"jsonrpc":"2.0","id":{name},"method":"{method}","params":{params}}}'.encode()


def cancel(id: int) -> bytes:
    """The bytes of a cancellation."""
    return f'{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}'.encode()
