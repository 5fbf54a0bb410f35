"""One request of a session on its way to its answer: posted, read, gone on with where it broke off, repeated once.

Whatever happens, the call is settled. Below: `courier`, `track`, `answers`, `core.peer`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from mcport.core.events import Call
from mcport.core.http.headers import EVENT_STREAM
from mcport.core.jsonrpc import Malformed
from mcport.core.peer import Peer
from mcport.errors import ConversationError
from mcport.session.loop import Loop
from mcport.session.waiting import Failed, Lost, Refusal, Waiter

from .answers import doubt_of, kind_of, malformed, refusal_of, whole
from .courier import Courier, SessionGone
from .endpoint import Unreachable
from .pace import Pace
from .repeating import REPEATABLE
from .track import Broken, Track

log: Final = logging.getLogger("mcport.client")

Failure = Lost | Malformed | Refusal | Failed
Renew = Callable[[str], Awaitable[None]]
"""Begins a new session in place of the one of this id; raises `Broken`."""


class Errand:
    """One request. `renew` begins a new session where the old one is gone; None for `initialize`, which has none."""

    def __init__(
        self, call: Call, body: bytes, courier: Courier, peer: Peer, loop: Loop, pace: Pace, renew: Renew | None
    ) -> None:
        self.scope = loop.scope()
        self._call = call
        self._body = body
        self._courier = courier
        self._peer = peer
        self._pace = pace
        self._renew = renew

    async def run(self) -> None:
        """Settle the call, unless somebody else does so first and cancels `scope`."""
        failure: Failure | None = Lost("the request was cancelled")
        try:
            with self.scope:
                failure = await self._carried_out()
        except (Unreachable, Broken) as error:
            failure = Lost(str(error))
        except ConversationError as error:
            failure = Failed(error)
        except Exception as error:
            log.debug("asking %s failed", self._call.method, exc_info=True)
            failure = Lost(f"it failed: {type(error).__name__}: {error}")
        finally:
            if self._peer.waits_for(self._call):
                self._peer.withdraw(self._call)
                _fail(self._call, failure)

    async def _carried_out(self) -> Failure | None:
        """Return why there is no answer, None once there is one."""
        if self._renew is None:
            return await self._once()
        await self._courier.ready.wait()
        try:
            return await self._once()
        except SessionGone as gone:
            if gone.heard and self._call.method not in REPEATABLE:
                return Lost("the server forgot the session; whether it had done this is not known")
            await self._renew(gone.id)
        try:
            return await self._once()
        except SessionGone:
            return Lost("the server forgot the session, and the one that was begun in its place as well")

    async def _once(self) -> Failure | None:
        response = await self._courier.post(
            self._body, opening=self._renew is None, repeatable=self._call.method in REPEATABLE
        )
        if response.is_success and doubt_of(response) is None and kind_of(response) == EVENT_STREAM:
            self._opened(response)
            return await self._follow(response)
        try:
            return await self._whole(response)
        finally:
            await response.aclose()

    async def _whole(self, response: httpx.Response) -> Failure | None:
        """Read an answer in one piece."""
        limit = self._courier.limits.message_bytes
        if not response.is_success:
            return await refusal_of(response, limit)
        doubt = doubt_of(response)
        if doubt is not None:
            return doubt
        body = await whole(response, limit)
        if body is None:
            return malformed(f"the answer is over the limit of {limit} bytes (Limits.message_bytes)")
        self._opened(response)
        self._courier.take(body)
        return malformed("answered with a message that is not the answer") if self._open else None

    async def _follow(self, response: httpx.Response) -> Failure | None:
        """Read an answer that is a stream, over as many connections as it takes."""
        track = Track(self._courier, self._pace, lambda: not self._open)
        await track.hear(response)
        while self._open:
            await track.hear(await track.again())
        return None

    @property
    def _open(self) -> bool:
        return self._peer.waits_for(self._call)

    def _opened(self, response: httpx.Response) -> None:
        """Keep the id of the session that begins with the answer to `initialize`."""
        if self._renew is None:
            self._courier.begin(response.headers)


def _fail(call: Call, failure: Failure | None) -> None:
    waiter: Waiter = call.context  # type: ignore[assignment]  # the core does not know who waits
    if failure is None or isinstance(failure, Lost):
        waiter.lose("the request was cancelled" if failure is None else failure.reason)
    else:
        waiter.settle(failure)
