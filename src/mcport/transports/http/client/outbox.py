"""What a session says that is no request: answers and notifications, each in a POST of its own, side by side.

A slow one holds up no other. What cannot be delivered is logged: nobody waits for it. Below: `courier`.
"""

from __future__ import annotations

import logging
from typing import Final

import anyio

from mcport.errors import ConversationError
from mcport.session.channel import LINGER_SECONDS, Backlog, Receiver
from mcport.session.loop import Loop

from .answers import refusal_of
from .courier import Courier, SessionGone
from .endpoint import Unreachable

log: Final = logging.getLogger("mcport.client")

POST_SECONDS: Final = 30.0
"""How long a server may take to accept a message."""


class Outbox:
    """The way out of a session (`session.channel.Channel`); what comes back is given to the receiver by the courier."""

    def __init__(self, courier: Courier, loop: Loop) -> None:
        self._courier = courier
        self._loop = loop
        self._backlog = Backlog(loop)
        self._posting: set[anyio.CancelScope] = set()

    def open(self, receiver: Receiver) -> None:
        self._courier.receiver = receiver

    @property
    def backlog(self) -> int:
        return self._backlog.bytes

    def send(self, message: bytes, more: bool = False) -> None:
        self._backlog.set(self._backlog.bytes + len(message))
        self._loop.keep(self._run(message))

    async def drain(self, below: int) -> None:
        await self._backlog.below(below)

    async def aclose(self) -> None:
        """Let what is under way arrive, for a moment."""
        with anyio.move_on_after(LINGER_SECONDS, shield=True):
            await self._backlog.below(1)
        for scope in tuple(self._posting):
            scope.cancel()

    async def deliver(self, message: bytes) -> None:
        """Post a message and wait until the server has accepted it, or not."""
        with anyio.move_on_after(POST_SECONDS) as scope:
            self._posting.add(scope)
            try:
                response = await self._courier.post(message)
                try:
                    if not response.is_success:
                        refusal = await refusal_of(response, self._courier.limits.message_bytes)
                        log.info("the server did not accept a message: %s", refusal.reason)
                finally:
                    await response.aclose()
            except (Unreachable, SessionGone, ConversationError) as error:
                log.info("a message could not be delivered: %s", error)
            finally:
                self._posting.discard(scope)

    async def _run(self, message: bytes) -> None:
        try:
            await self.deliver(message)
        except Exception:
            log.exception("a message could not be delivered")
        finally:
            self._backlog.set(self._backlog.bytes - len(message))
