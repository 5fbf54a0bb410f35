"""The link over HTTP: each request is a POST of its own, and its answer is read where it was asked.

What comes on the way of an answer goes where it belongs: progress to its call, any other notification to the owner. A
lost server ends the calls that waited for it and nothing else: the next one reaches it anew. Below: `endpoint`,
`answers`, `mirroring`, `turn`, the session's `Clock`, the core's `Peer`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import anyio

from mcport.core.dialects.contract import META_CAPABILITIES, META_CLIENT, META_VERSION
from mcport.core.dialects.handshake import take_apart
from mcport.core.events import Call, Progressed, Told
from mcport.core.framing import Line, Oversized
from mcport.core.http.headers import EVENT_STREAM, JSON, METHOD, NAMED, VERSION, mirrored
from mcport.core.jsonrpc import (
    Batch,
    Decoded,
    ErrorResponse,
    JsonObject,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    decode,
    encode,
)
from mcport.core.limits import Limits
from mcport.core.oversized import read_oversized
from mcport.core.peer import Peer
from mcport.core.sse import EventDecoder
from mcport.errors import HEADER_MISMATCH, ConversationError
from mcport.session.channel import Trace
from mcport.session.link import Owner, failure_of, subject_of
from mcport.session.loop import Loop
from mcport.session.waiting import Clock, Failed, Lost, OnProgress, Overdue, Refusal, Waiter
from mcport.spec.revisions import Revision

from .answers import doubt_of, events, kind_of, malformed, refusal_of, whole
from .endpoint import Endpoint, Unreachable
from .mirroring import CALL, LIST, Mirroring
from .repeating import REPEATABLE
from .turn import Outcome, Turn

if TYPE_CHECKING:
    import httpx

log: Final = logging.getLogger("mcport.client")

USUAL: Final = {
    "content-type": JSON,
    "accept": f"{JSON}, {EVENT_STREAM}",
    "accept-encoding": "identity",
}
"""The headers of each POST. Nothing may come compressed: a few bytes could then be any number of them."""

_STAMPS: Final = (META_VERSION, META_CLIENT, META_CAPABILITIES)


class HttpLink:
    """A link to one endpoint; `connect` opens the way there, `trace` is shown every message."""

    def __init__(
        self, connect: Callable[[], Endpoint], owner: Owner, loop: Loop, limits: Limits, trace: Trace | None = None
    ) -> None:
        self._connect = connect
        self._owner = owner
        self._loop = loop
        self._limits = limits
        self._trace = trace
        self._peer = Peer()
        self._peer.serves = False
        self._clock = Clock(loop)
        self.hold, self.release = self._clock.hold, self._clock.release
        self._mirroring = Mirroring(owner.server)
        self._named = {**NAMED, **owner.named}
        self._turns: set[Turn] = set()
        self._streams: dict[Call, anyio.CancelScope] = {}
        self._revision: Revision | None = None
        self._over: str | None = None

    # ---- the port

    @property
    def over(self) -> str | None:
        return self._over

    def open(self) -> None:
        self._endpoint = self._connect()

    def begin(self, revision: Revision) -> None:
        self._revision = revision

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        if self._over is not None:
            raise self._owner.lost(method, self._over, subject_of(method, params))
        turn = Turn(self._loop, self._clock, seconds=seconds, most=most, on_progress=on_progress)
        self._turns.add(turn)
        try:
            with turn.scope:
                turn.answer = await self._answered(method, params, turn, on_progress is not None)
        finally:
            turn.stop()
            self._turns.discard(turn)
        answer = turn.answer
        if type(answer) is Response:
            return answer.result
        assert answer is not None
        assert not isinstance(answer, Response)
        raise failure_of(answer, method, subject_of(method, params), self._owner.server, self._owner.lost)

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        if self._over is None:
            params = self._stamped(params)
            body = encode(Notification(method, params))
            self._loop.keep(self._say(method, body, {METHOD: method, **self._version(params)}))

    def start(self, method: str, params: JsonObject | None, waiter: Waiter) -> Call:
        call, request = self._peer.request(method, params, context=waiter)
        if self._over is not None:
            waiter.lose(self._over)
            return call
        body = _encoded(request)
        scope = self._streams[call] = self._loop.scope()
        self._loop.keep(self._stream(call, request, body, waiter, scope))
        return call

    async def hears(self) -> None:
        """Nothing comes but for a request."""

    def drop(self, call: Call, *, tell: bool) -> None:
        """Close the stream: that is how the server hears of it (2026-07-28 basic/patterns/cancellation)."""
        self._peer.withdraw(call)
        scope = self._streams.pop(call, None)
        if scope is not None:
            scope.cancel()

    def give_up(self, reason: str) -> None:
        if self._over is not None:
            return
        self._over = reason
        for turn in tuple(self._turns):
            turn.lose(reason)
        for call in tuple(self._streams):
            self.drop(call, tell=False)
            call.context.lose(reason)  # type: ignore[attr-defined]  # a `Waiter`, which the core does not know
        self._clock.stop()
        self._owner.hooks.ended(reason)

    async def aclose(self, *, silently: bool = False) -> None:
        self.give_up("closed here")
        await self._endpoint.aclose()

    # ---- asking

    async def _answered(self, method: str, params: JsonObject | None, turn: Turn, progress: bool) -> Outcome:
        """Send a request and return what settles it; a call whose headers were out of date is repeated once."""
        answer = await self._posted(method, params, turn, progress)
        if method == LIST and type(answer) is Response and self._mirrors:
            self._mirroring.learn(answer.result)
        if method != CALL or params is None or _code_of(answer) != HEADER_MISMATCH:
            return answer
        before = self._mirroring.headers(params)
        await self._list_tools(params)
        return (
            answer if self._mirroring.headers(params) == before else await self._posted(method, params, turn, progress)
        )

    @property
    def _mirrors(self) -> bool:
        return self._revision is not None and self._revision.era == "stateless"

    async def _posted(self, method: str, params: JsonObject | None, turn: Turn | None, progress: bool) -> Outcome:
        call, request = self._peer.request(method, params, progress=progress, context=turn)
        try:
            return await self._exchange(call, request, _encoded(request))
        finally:
            self._peer.withdraw(call)

    async def _list_tools(self, params: JsonObject) -> None:
        """Look at the schemas of all tools anew (2026-07-28 basic/transports/streamable-http "Client Behavior")."""
        meta = params.get("_meta") or {}
        asked: JsonObject = {"_meta": {key: meta[key] for key in _STAMPS if key in meta}}
        for _ in range(self._limits.list_pages):
            page = await self._posted(LIST, asked, None, False)
            cursor = self._mirroring.learn(page.result) if type(page) is Response else None
            if not cursor:
                return
            asked = {**asked, "cursor": cursor}

    async def _stream(
        self, call: Call, request: Request, body: bytes, waiter: Waiter, scope: anyio.CancelScope
    ) -> None:
        """Read what comes for a request that nobody waits for in a task of his own."""
        answer: Outcome = Lost("the connection was cancelled")
        try:
            with scope:
                answer = await self._exchange(call, request, body)
        except Exception as error:
            log.debug("asking %s failed", request.method, exc_info=True)
            answer = Lost(f"it failed: {type(error).__name__}: {error}")
        finally:
            wanted = self._streams.pop(call, None) is not None
            self._peer.withdraw(call)
            if wanted:
                _settle(waiter, answer)

    async def _exchange(self, call: Call, request: Request, body: bytes) -> Outcome:
        """POST a request and return what settles it."""
        headers = self._headers(request)
        if self._trace is not None:
            self._trace("->", body)
        try:
            repeatable = request.method in REPEATABLE
            response = await self._endpoint.send("POST", headers, body, repeatable=repeatable)
            try:
                return await self._read(response, call)
            finally:
                await response.aclose()
        except Unreachable as error:
            return Lost(str(error))
        except ConversationError as error:
            return Failed(error)

    # ---- the answer

    async def _read(self, response: httpx.Response, call: Call) -> Outcome:
        """Return what settles a call: the one message of its answer, or the last one of a stream."""
        if not response.is_success:
            return await refusal_of(response, self._limits.message_bytes)
        doubt = doubt_of(response)
        if doubt is not None:
            return doubt
        if kind_of(response) == EVENT_STREAM:
            return await self._read_stream(response, call)
        limit = self._limits.message_bytes
        body = await whole(response, limit)
        if body is None:
            return malformed(f"the answer is over the limit of {limit} bytes (Limits.message_bytes)")
        if not body:
            return malformed("answered with nothing")
        message = self._decoded(body)
        if type(message) is Malformed:
            return message
        return self._take(message, call) or malformed("answered with something that is not the answer to this request")

    async def _read_stream(self, response: httpx.Response, call: Call) -> Outcome:
        decoder = EventDecoder(self._limits.message_bytes)
        async with aclosing(events(response, decoder)) as lines:
            async for line in lines:
                answer = self._take(self._decoded(line), call)
                if answer is not None:
                    return answer
        return Lost("it ended the answer before that was complete")

    def _decoded(self, line: Line) -> Decoded:
        if self._trace is not None:
            self._trace("<-", line.head if isinstance(line, Oversized) else line)
        return read_oversized(line, self._limits.message_bytes) if isinstance(line, Oversized) else decode(line)

    def _take(self, message: Decoded, call: Call) -> Outcome | None:
        """Take what came, and return it, or the part of it, that settles the call."""
        if type(message) is not Batch:
            return self._judge(message, call)  # type: ignore[arg-type]
        taken = [self._judge(each, call) for each in take_apart(message, self._owner.hooks.batches())]
        return next((each for each in taken if each is not None), None)

    def _judge(self, message: Message | Malformed, call: Call) -> Outcome | None:
        if type(message) is Response:
            return message if message.id == call.id else None
        if type(message) is ErrorResponse:
            # Servers leave the id out, or write one of their own, for a request that they could not read.
            return message
        if type(message) is Malformed:
            if message.answers == call.id:
                return message
            self._owner.hooks.malformed(message)
        elif type(message) is Notification:
            self._hear(message)
        else:
            log.debug("ignored: a request where none may come")
        return None

    def _hear(self, notification: Notification) -> None:
        event = self._peer.receive(notification)
        if type(event) is Progressed:
            event.call.context.progressed(event)  # type: ignore[attr-defined]
        elif type(event) is Told:
            self._owner.hooks.told(event)

    # ---- what goes out

    def _headers(self, request: Request) -> dict[str, str]:
        """Return the headers of a request, which repeat what the body says ("Request Metadata")."""
        params = request.params or {}
        assert isinstance(params, dict)
        headers = {**USUAL, **self._version(params)}
        if META_VERSION in (params.get("_meta") or ()):
            headers.update(mirrored(request.method, params, self._named))
            if request.method == CALL:
                headers.update(self._mirroring.headers(params))
        return headers

    def _version(self, params: JsonObject) -> dict[str, str]:
        said = (params.get("_meta") or {}).get(META_VERSION)
        if said is None and self._revision is not None:
            said = self._revision.name
        return {} if said is None else {VERSION: said}

    def _stamped(self, params: JsonObject | None) -> JsonObject:
        """Return the parameters of a notification, which say for themselves what is spoken (stateless era)."""
        params = params or {}
        if self._revision is None or self._revision.era == "handshake":
            return params
        return {**params, "_meta": {**(params.get("_meta") or {}), META_VERSION: self._revision.name}}

    async def _say(self, method: str, body: bytes, headers: dict[str, str]) -> None:
        """POST a notification; what becomes of it nobody can mend."""
        if self._trace is not None:
            self._trace("->", body)
        try:
            response = await self._endpoint.send("POST", {**USUAL, **headers}, body)
            await response.aclose()
        except (Unreachable, ConversationError) as error:
            log.info("%s did not reach server '%s': %s", method, self._owner.server, error)
            return
        if not response.is_success:
            log.info("server '%s' answered %s with %d", self._owner.server, method, response.status_code)


def _encoded(request: Request) -> bytes:
    try:
        return encode(request)
    except ValueError as error:
        raise ValueError(f"{request.method}: the parameters cannot be JSON: {error}") from None


def _settle(waiter: Waiter, answer: Outcome) -> None:
    if isinstance(answer, Lost):
        waiter.lose(answer.reason)
    elif not isinstance(answer, Overdue):
        waiter.settle(answer)


def _code_of(answer: Outcome) -> int | None:
    """Return the code of a JSON-RPC error, None for anything else."""
    error = answer.error if isinstance(answer, Refusal) else answer
    return error.code if isinstance(error, ErrorResponse) else None
