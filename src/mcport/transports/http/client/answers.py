"""Reading answers: the bytes of one, bounded, as messages; and what stands for the answer where there is none.

Below: `words`, `core.sse`, `core.jsonrpc`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

import anyio
import httpx

from mcport.core.framing import Line
from mcport.core.http.headers import EVENT_STREAM, JSON
from mcport.core.jsonrpc import ErrorResponse, Malformed, decode
from mcport.core.sse import EventDecoder, Item, ServerSentEvent
from mcport.errors import INVALID_REQUEST
from mcport.session.waiting import Refusal

from . import words
from .endpoint import Unreachable

MESSAGE: Final = "message"


def kind_of(response: httpx.Response) -> str:
    """Return the content type of an answer, without its parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def doubt_of(response: httpx.Response) -> Malformed | None:
    """Return what is wrong with an answer that says it succeeded, before it is read."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        return malformed(words.of_coding(coding))
    if response.status_code in (202, 204):
        return malformed(f"answered {response.status_code}, which is no answer to a request")
    if kind_of(response) not in (JSON, EVENT_STREAM):
        return malformed(words.of_content(response.headers.get("content-type", "")))
    return None


def malformed(reason: str) -> Malformed:
    """Return what stands for an answer that cannot be read."""
    return Malformed(INVALID_REQUEST, reason, wants_reply=False)


async def whole(response: httpx.Response, limit: int) -> bytes | None:
    """Return the body of an answer, None if it has more than `limit` bytes. Raises `Unreachable`."""
    found, size = [], 0
    async with aclosing(_chunks(response)) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                return None
            found.append(chunk)
    return found[0] if len(found) == 1 else b"".join(found)


async def events(response: httpx.Response, decoder: EventDecoder) -> AsyncGenerator[Line]:
    """Yield what the events of a stream carry, as they come. Raises `Unreachable` where it breaks off."""
    async with aclosing(items(response, decoder)) as found:
        async for item in found:
            if type(item) is not ServerSentEvent:
                yield item  # type: ignore[misc]
            elif item.data and item.event == MESSAGE:
                yield item.data


async def items(response: httpx.Response, decoder: EventDecoder) -> AsyncGenerator[Item]:
    """Yield the events of a stream, as they come. Raises `Unreachable` where it breaks off."""
    async with aclosing(_chunks(response)) as chunks:
        async for chunk in chunks:
            for item in decoder.feed(chunk):
                yield item


async def _chunks(response: httpx.Response) -> AsyncGenerator[bytes]:
    if response.is_stream_consumed:  # a transport of the user's may hand over an answer that is read already
        yield response.content
        return
    chunks = response.aiter_raw()
    try:
        async for chunk in chunks:
            yield chunk
    except GeneratorExit:
        await _break_off(chunks)
        raise
    except (httpx.HTTPError, OSError) as error:
        raise Unreachable(words.of_failure(error)) from error


async def _break_off(chunks: AsyncIterator[bytes]) -> None:
    """Read no further. httpx reads through generators in generators, which only an exception from within ends all."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        async for _ in chunks:
            pass


async def refusal_of(response: httpx.Response, limit: int) -> Refusal:
    """Return what an answer says whose status is no success: the JSON-RPC error in it, or plain words."""
    status, retry_after = response.status_code, words.seconds_of(response.headers.get("retry-after"))
    body = await whole(response, limit) if kind_of(response) == JSON else None
    error = decode(body) if body else None
    if type(error) is ErrorResponse:
        return Refusal(status, error.message, error, retry_after)
    if response.is_redirect:
        where = response.headers["location"]
        return Refusal(status, f"answered {status}: it sends requests elsewhere, to {where!r:.200}")
    return Refusal(status, words.of_status(status, retry_after), None, retry_after)
