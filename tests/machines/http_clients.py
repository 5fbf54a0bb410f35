"""Clients of the handshake era over HTTP, as a machine plays them: what they asked for, and what they were shown of it.

They do not judge a server; whoever plays them does. Below: `tests.http.bridge`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from mcport.core.jsonrpc import parse_json
from mcport.core.sse import EventDecoder, ServerSentEvent
from mcport.transports.http.server.asgi import PRINCIPAL
from tests.http.bridge import scope_of

REVISION = "2025-11-25"


class Line:
    """One request and what its client was shown of the answer, until it leaves."""

    def __init__(
        self, app: Any, body: bytes, headers: dict[str, str | None], method: str, principal: str | None
    ) -> None:
        self.known: frozenset[str] = frozenset()  # ids of events that are not to come on it
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.events: list[ServerSentEvent] = []
        self.over = False
        self._left = asyncio.Event()
        self._decoder = EventDecoder(1 << 20)
        self._pieces = [{"type": "http.request", "body": body, "more_body": False}]
        scope = {**scope_of(headers, method=method), PRINCIPAL: principal}
        self._task = asyncio.ensure_future(app(scope, self._receive, self._take))

    async def _receive(self) -> dict[str, Any]:
        if self._pieces:
            return self._pieces.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _take(self, event: Any) -> None:
        if self._left.is_set():
            return  # nobody is there to see it
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {name.decode(): value.decode() for name, value in event["headers"]}
            return
        if self.headers.get("content-type") == "text/event-stream":
            items = self._decoder.feed(event.get("body", b""))
            self.events += [item for item in items if isinstance(item, ServerSentEvent)]
        else:
            self.body += event.get("body", b"")
        self.over = not event.get("more_body", False)

    @property
    def messages(self) -> list[Any]:
        """What was said, in the order in which it came."""
        if self.headers.get("content-type") == "text/event-stream":
            return [parse_json(event.data) for event in self.events if event.data]
        return [parse_json(self.body)] if self.over and self.body else []

    @property
    def last(self) -> str | None:
        """The id of the last event."""
        return self.events[-1].id if self.events else None

    async def leave(self) -> None:
        """The client goes away."""
        self._left.set()
        await self._task


class Session:
    """What a client knows of one session."""

    def __init__(self, id: str, principal: str) -> None:
        self.headers: dict[str, str | None] = {"mcp-session-id": id, "mcp-protocol-version": REVISION}
        self.id = id
        self.principal = principal
        self.over = False
        self.walks: list[Walk] = []
        self.hearing: Line | None = None
        self.last: str | None = None  # the last event of the session's own stream
        self.owed: set[int] = set()
        self.heard: set[int] = set()
        self.events: dict[str, bytes] = {}
        self.answered: set[object] = set()

    def follows(self) -> bool:
        """Whether the client has a place on the session's own stream, here or to come back to."""
        return self.hearing is not None or self.last is not None

    def note(self, line: Line) -> None:
        """Keep the ids of what came: one event has one id, on all streams of a session, and comes once on each."""
        ids = [event.id for event in line.events]
        assert all(ids), "an event without an id cannot be gone on with"
        assert len(set(ids)) == len(ids), "an event came twice on one connection"
        assert line.known.isdisjoint(ids), "an event that its client has seen came again"
        for event in line.events:
            assert self.events.setdefault(event.id, event.data) == event.data, "two events with one id"


class Walk:
    """A call that takes steps as it is told to: what it has said so far, and what its client has seen of it."""

    def __init__(self, session: Session, id: int, line: Line) -> None:
        self.session = session
        self.id = id
        self.line: Line | None = line
        self.orders: asyncio.Queue[str] = asyncio.Queue()
        self.said: list[object] = []
        self.shown: list[object] = []
        self.questions: dict[str, Any] = {}
        self.last: str | None = None
        self.steps = 0
        self.asks: str | None = None
        self.begun = False
        self.finished = False
        self.lost = False  # its client left before it knew of a stream to come back to

    def show(self) -> None:
        """Take in what came on the connection that there is, which is over afterwards."""
        assert self.line is not None
        self.shown = self.seen()
        self.last = self.line.last or self.last
        self.session.note(self.line)
        self.line = None

    def seen(self) -> list[object]:
        """What the client has been told, over all connections: what was said, in that order, as far as it has come."""
        seen = self.shown + [self._read(each) for each in (self.line.messages if self.line else ())]
        assert seen == self.said[: len(seen)], "something came twice, out of order, or without what was said before it"
        return seen

    def _read(self, said: Any) -> object:
        if said.get("method") == "elicitation/create":
            self.questions[said["params"]["message"]] = said
            return said["params"]["message"]
        if "method" in said:
            assert said["params"].get("progressToken") == self.id, "what came belongs to another stream"
            return said["params"]["progress"]
        assert said["id"] == self.id, "the answer came to another request"
        return said["result"]["content"][0]["text"]
