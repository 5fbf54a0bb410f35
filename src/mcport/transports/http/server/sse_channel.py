"""The server's end of one connection over HTTP+SSE: what is sent is an event, what is posted comes in as a message.

It lives as long as the client hears its stream. Below: `reply`, `core.sse`, `session.channel`.
"""

from __future__ import annotations

from typing import Final

import anyio

from mcport.core.limits import Limits
from mcport.core.sse import encode_event
from mcport.session.channel import LINGER_SECONDS, Receiver
from mcport.session.loop import Loop

from .reply import Reply
from .wire import GONE, Wire

ENDPOINT: Final = "endpoint"


class SseChannel:
    """A channel (`session.channel.Channel`) over the stream of one GET. `endpoint` is where the client is to post."""

    def __init__(self, endpoint: str, wire: Wire, loop: Loop, limits: Limits) -> None:
        self._endpoint = endpoint
        self._wire = wire
        self._reply = Reply(wire, loop, limits, self.over)
        self._watching = loop.scope()
        self._receiver: Receiver | None = None
        self._reason: str | None = None
        self._closed = False

    def open(self, receiver: Receiver) -> None:
        """Begin: nothing is posted before the client has read where to (2024-11-05 basic/transports)."""
        self._receiver = receiver
        self._reply.put(encode_event(self._endpoint.encode(), event=ENDPOINT))
        if self._reason is not None:
            receiver.ended(self._reason)

    def posted(self, message: bytes) -> None:
        """Take in what the client posted, to whichever worker."""
        if self._receiver is not None and self._reason is None:
            self._receiver.receive([message])

    def send(self, message: bytes, more: bool = False) -> None:
        self._reply.put(encode_event(message, event="message"))

    @property
    def backlog(self) -> int:
        return self._reply.backlog

    async def drain(self, below: int) -> None:
        await self._reply.drain(below)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        with anyio.move_on_after(LINGER_SECONDS, shield=True):
            await self._reply.end()
        self._reply.drop()
        self._watching.cancel()

    # ---- the end

    async def watch(self) -> None:
        """Notice when the client leaves."""
        with self._watching:
            await self._wire.left()
            self._reply.drop()
            self.over(GONE)

    def over(self, reason: str) -> None:
        """Nothing more comes, and this is why."""
        if self._reason is None:
            self._reason = reason
            if self._receiver is not None:
                self._receiver.ended(reason)

    def keep_alive(self) -> None:
        """Show that the stream lives."""
        self._reply.keep_alive()

    def end(self) -> None:
        """The server is going."""
        self.over("the server is shutting down")
