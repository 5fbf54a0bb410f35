"""The older way over HTTP: one stream by GET for all that a server says, and an endpoint that it names for POSTs.

(2024-11-05 basic/transports "HTTP with SSE".) The stream cannot be gone on with: when it ends, the conversation does. A
message that the server refuses fails its own call only.
Below: `endpoint`, `answers`, `core.sse`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import anyio
import httpx

from mcport.core.framing import Line, Oversized
from mcport.core.http.headers import EVENT_STREAM
from mcport.core.jsonrpc import ErrorResponse, Request, decode, encode
from mcport.core.sse import EventDecoder, Item, ServerSentEvent
from mcport.errors import INTERNAL_ERROR
from mcport.session.channel import EndOfStream, NotTaken
from mcport.session.waiting import Refusal

from . import words
from .answers import MESSAGE, items, kind_of, refusal_of
from .courier import HEARD, POSTED
from .endpoint import Endpoint, Unreachable

ENDPOINT: Final = "endpoint"

ENDPOINT_SECONDS: Final = 10.0
"""How long a server may take to tell where to post."""


GONE: Final = (404, 410)
"""With these a server says that it does not know the connection any more; any other status refuses one message."""


class NoEndpoint(Exception):
    """What answers at the URL does not speak HTTP+SSE; the text says what it did instead."""


class SseTransport:
    """A connection over HTTP+SSE (`session.channel.Transport`); `open_sse` makes it."""

    def __init__(self, endpoint: Endpoint, response: httpx.Response, found: AsyncGenerator[Item], limit: int) -> None:
        self._endpoint = endpoint
        self._response = response
        self._items = found
        self._limit = limit

    async def receive(self) -> Line:
        try:
            async for item in self._items:
                if isinstance(item, Oversized):
                    return item
                if item.event == MESSAGE and item.data:
                    return item.data
        except Unreachable as error:
            raise EndOfStream(str(error)) from error
        raise EndOfStream("the server closed the connection")

    async def send(self, message: bytes) -> None:
        response = await self._endpoint.send("POST", POSTED, message)
        try:
            if response.status_code in GONE:
                raise Unreachable((await refusal_of(response, self._limit)).reason)
            if not response.is_success:
                raise _not_taken(message, await refusal_of(response, self._limit))
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._items.aclose()
        await self._response.aclose()
        await self._endpoint.aclose()


async def open_sse(endpoint: Endpoint, limit: int) -> SseTransport:
    """Open the stream and wait until the server has told where to post, which is to be of the same origin.

    The endpoint belongs to the connection, and is closed where there is none. Raises `NoEndpoint` for what is no such
    server, and `Unreachable`.
    """
    response: httpx.Response | None = None
    try:
        response = await endpoint.send("GET", HEARD, repeatable=True)
        return await _opened(endpoint, response, limit)
    except BaseException:
        with anyio.CancelScope(shield=True):
            if response is not None:
                await response.aclose()
            await endpoint.aclose()
        raise


async def _opened(endpoint: Endpoint, response: httpx.Response, limit: int) -> SseTransport:
    if not response.is_success:
        raise NoEndpoint(words.of_status(response.status_code))
    if kind_of(response) != EVENT_STREAM:
        raise NoEndpoint(words.of_content(response.headers.get("content-type", "")))
    found = items(response, EventDecoder(limit))
    try:
        where = await _first(found)
        if not endpoint.follow(where):
            raise NoEndpoint(f"told to post to {where!r:.200}, which is of another origin")
    except BaseException:
        with anyio.CancelScope(shield=True):
            await found.aclose()
        raise
    return SseTransport(endpoint, response, found, limit)


def _not_taken(message: bytes, refusal: Refusal) -> NotTaken:
    """Return what says that a message was refused, and why: to whoever waits for an answer, as that answer."""
    asked, told = decode(message), refusal.error
    if type(asked) is not Request:
        return NotTaken(refusal.reason)
    code, data = (INTERNAL_ERROR, None) if told is None else (told.code, told.data)
    return NotTaken(refusal.reason, encode(ErrorResponse(asked.id, code, refusal.reason, data)))


async def _first(found: AsyncGenerator[Item]) -> str:
    """Return what the first event tells, which is where to post."""
    with anyio.move_on_after(ENDPOINT_SECONDS):
        async for item in found:
            if isinstance(item, ServerSentEvent) and item.event == ENDPOINT:
                return item.text
            break
        raise NoEndpoint("opened a stream that does not begin with where to post")
    raise NoEndpoint(f"did not tell where to post within {ENDPOINT_SECONDS:g} s")
