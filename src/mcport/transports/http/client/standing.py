"""The stream on which a server says what belongs to no request: opened by GET and kept open, where the server has one.

(2025-11-25 basic/transports "Listening for Messages from the Server".) Servers may have none (405). One that is lost is
opened again a bounded number of times, and then anew after the next request that succeeds. Below: `track`, `courier`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import anyio
import httpx

from mcport.core.http.headers import EVENT_STREAM
from mcport.errors import ConversationError
from mcport.session.loop import Loop

from .answers import kind_of
from .courier import Courier, SessionGone
from .endpoint import Unreachable
from .pace import Pace
from .track import Broken, Track
from .words import of_status, seconds_of

log: Final = logging.getLogger("mcport.client")

OPENING_SECONDS: Final = 2.0
"""How long it is waited for the stream to be open: some servers do not begin to answer before there is an event."""

NONE: Final = (400, 405, 406, 501)
"""Statuses that say that there is no such stream, and not only now."""


class Standing:
    """The stream of one session that belongs to no request; `gone` is called when the server knows no such session,
    `missed` when the stream was begun anew, and `deaf` when it was given up, with the reason.
    """

    def __init__(
        self,
        courier: Courier,
        loop: Loop,
        pace: Pace,
        *,
        gone: Callable[[str], None],
        missed: Callable[[], None],
        deaf: Callable[[str], None],
    ) -> None:
        self._courier = courier
        self._loop = loop
        self._pace = pace
        self._gone = gone
        self._missed = missed
        self._deaf = deaf
        self._scope: anyio.CancelScope | None = None
        self._none = False
        self._refused = 0
        self._not_before = 0.0
        self._settled = anyio.Event()

    def begin(self, *, at_once: bool = False) -> None:
        """Hear what comes, unless that is so already or the server has said that there is nothing to hear.

        A server that could not open the stream is left alone for a while, but for somebody who listens (`at_once`).
        """
        if self._scope is None and not self._none and (at_once or self._loop.time() >= self._not_before):
            self._scope = self._loop.scope()
            if self._settled.is_set():
                self._settled = anyio.Event()
            self._loop.keep(self._run(self._scope))

    def end(self) -> None:
        """Hear nothing more, until `begin`, which may be in another session: what was said in this one is forgotten."""
        self._none = False
        self._not_before = 0.0
        if self._scope is not None:
            self._scope.cancel()
            self._scope = None
            self._settled.set()

    async def settled(self) -> None:
        """Wait a moment until it is open, or known not to be there."""
        with anyio.move_on_after(OPENING_SECONDS):
            while not self._settled.is_set():
                await self._settled.wait()

    async def _run(self, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await self._hear()
        except SessionGone as gone:
            self._gone(gone.id)
        except (Unreachable, Broken, ConversationError) as error:
            log.info("the stream of what belongs to no request is lost: %s", error)
            self._deaf(str(error))
        except Exception as error:
            log.exception("the stream of what belongs to no request failed")
            self._deaf(f"it failed: {type(error).__name__}: {error}")
        finally:
            if self._scope is scope:
                self._scope = None
                self._settled.set()

    async def _hear(self) -> None:
        track = Track(self._courier, self._pace, lambda: False)
        response = await self._begun(track)
        self._settled.set()
        while response is not None:
            await track.hear(response)
            response = await track.again(anew=True)
            if not track.last:
                self._missed()

    async def _begun(self, track: Track) -> httpx.Response | None:
        """Return the first connection of the stream; None where the server has no such stream."""
        try:
            response = await self._courier.get({})
        except SessionGone as gone:
            # A server without such a stream may say so with 404; a lost session shows with a POST.
            self._none = gone.id == self._courier.id
            return None
        except Unreachable as error:
            track.failed(str(error))
            return await track.again(anew=True)
        if response.is_success and kind_of(response) == EVENT_STREAM:
            self._refused = 0
            return response
        self._none = response.status_code in NONE or response.is_success
        await response.aclose()
        if self._none:
            return None
        self._refused += 1
        wished = seconds_of(response.headers.get("retry-after"))
        self._not_before = self._loop.time() + self._pace.before(self._refused, wished)
        raise Broken(of_status(response.status_code))
