"""Sessions over HTTP that are cut, gone on with, left and ended at two workers in any order.

The model knows what each request has said, what each client was shown of it, and which sessions there are. What was
promised is held: nothing that was said on a stream is lost to a client that comes back for it, nothing is told twice on
it, ids never collide, and whoever names a session that is over is told so (2025-11-25 basic/transports).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

from mcport import Context, Server
from mcport.core.jsonrpc import parse_json
from mcport.core.sse import EventDecoder, ServerSentEvent
from tests.http.bridge import scope_of
from tests.http.raw_session import STREAM, accept, call, initialize, message
from tests.http.shared_stores import Database, SharedEvents, SharedNotices, SharedSessions

T = TypeVar("T")

SECONDS = 10.0
"""How long anything may take before it is said to hang."""

REVISION = "2025-11-25"


class Line:
    """One request and what its client was shown of the answer, until it leaves."""

    def __init__(self, app: Any, body: bytes, headers: dict[str, str | None], method: str) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.events: list[ServerSentEvent] = []
        self.over = False
        self._left = asyncio.Event()
        self._decoder = EventDecoder(1 << 20)
        self._pieces = [{"type": "http.request", "body": body, "more_body": False}]
        self._task = asyncio.ensure_future(app(scope_of(headers, method=method), self._receive, self._take))

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

    def __init__(self, id: str) -> None:
        self.headers: dict[str, str | None] = {"mcp-session-id": id, "mcp-protocol-version": REVISION}
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
        """Keep the ids of what came: one event has one id, on all streams of a session."""
        for event in line.events:
            assert event.id, "an event without an id cannot be gone on with"
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
        """What the client has been told, over all connections."""
        return self.shown + [self._read(each) for each in (self.line.messages if self.line else ())]

    def _read(self, said: Any) -> object:
        if said.get("method") == "elicitation/create":
            self.questions[said["params"]["message"]] = said
            return said["params"]["message"]
        if "method" in said:
            return said["params"]["progress"]
        assert said["id"] == self.id
        return said["result"]["content"][0]["text"]


class Sessions(RuleBasedStateMachine):
    """Two workers and their clients."""

    sessions = Bundle("sessions")
    ended = Bundle("ended")
    walks = Bundle("walks")
    workers = st.integers(0, 1)

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.called: dict[int, Walk] = {}
        self.ids: set[str] = set()
        self.number = 0
        self.all: list[Session] = []
        self.run(self._build())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop of both workers."""
        return self.runner.run(asyncio.wait_for(work, SECONDS))

    async def _build(self) -> None:
        self.database = Database()
        notices = [SharedNotices(self.database) for _ in range(2)]
        self.servers = [self._server(each) for each in notices]
        self.polling = [asyncio.ensure_future(each._poll()) for each in notices]
        self.stores = [(SharedSessions(self.database), SharedEvents(self.database)) for _ in range(2)]
        self.apps = [
            server.asgi(sessions=sessions, events=events)
            for server, (sessions, events) in zip(self.servers, self.stores, strict=True)
        ]

    def _server(self, notices: SharedNotices) -> Server:
        server = Server("walker", notices=notices)

        @server.tool
        async def walk(number: int, ctx: Context) -> str:
            walk, steps = self.called[number], 0
            walk.begun = True
            while (order := await walk.orders.get()) != "end":
                if order == "step":
                    steps += 1
                    await ctx.report_progress(steps)
                else:
                    answer = await ctx.elicit(order, str)
                    assert answer.data == f"to {order}", "an answer to another question"
            return "there"

        return server

    # ---- what clients do

    def post(self, session: Session | None, worker: int, body: bytes) -> Line:
        """Send a message."""
        return Line(self.apps[worker], body, session.headers if session else {}, "POST")

    def get(self, session: Session, worker: int, last: str | None = None) -> Line:
        """Ask for a stream, or the rest of one."""
        return Line(self.apps[worker], b"", {**session.headers, **STREAM, "last-event-id": last}, "GET")

    def let_go(self, session: Session, worker: int) -> Line:
        """End a session."""
        return Line(self.apps[worker], b"", session.headers, "DELETE")

    async def settled(self, line: Line) -> Line:
        """Wait for a whole answer."""
        await until(lambda: line.over)
        await line.leave()
        return line

    @rule(target=sessions, worker=workers, other=workers)
    def open(self, worker: int, other: int) -> Session:
        """A session begins at one worker and is confirmed at any."""

        async def opened() -> Session:
            line = await self.settled(self.post(None, worker, initialize(REVISION, elicitation={})))
            id = line.headers["mcp-session-id"]
            assert id not in self.ids
            self.ids.add(id)
            session = Session(id)
            told = await self.settled(self.post(session, other, message("notifications/initialized", None)))
            assert told.status == 202
            return session

        session = self.run(opened())
        self.all.append(session)
        return session

    @rule(target=walks, session=sessions, worker=workers)
    def call(self, session: Session, worker: int) -> Walk:
        """A call begins, at any worker; in a session that is over it is refused."""

        async def called() -> Walk:
            self.number += 1
            id = self.number
            line = self.post(session, worker, call("walk", id, {"progressToken": id}, number=id))
            walk = self.called[id] = Walk(session, id, line)
            if session.over:
                await self.settled(line)
                assert line.status == 404
                walk.lost, walk.line = True, None
            else:
                session.walks.append(walk)
                await until(lambda: walk.begun)
            return walk

        return self.run(called())

    @rule(walk=walks)
    def step(self, walk: Walk) -> None:
        """A call says how far it has come."""
        if self._waits(walk):
            walk.steps += 1
            self._say(walk, "step", walk.steps)

    @rule(walk=walks)
    def question(self, walk: Walk) -> None:
        """A call asks its client; whether that is there now or comes back."""
        if self._waits(walk) and (walk.line is not None or walk.last is not None):
            self.number += 1
            walk.asks = f"question {self.number}"
            self._say(walk, walk.asks, walk.asks)

    @rule(walk=walks, worker=workers)
    def answer(self, walk: Walk, worker: int) -> None:
        """A client answers what it has seen, at any worker."""
        walk.seen()
        if walk.asks not in walk.questions or walk.session.over:
            return
        asked = walk.questions[walk.asks]
        assert asked["id"] not in walk.session.answered
        walk.session.answered.add(asked["id"])

        async def told() -> None:
            line = await self.settled(self.post(walk.session, worker, accept(asked, f"to {walk.asks}")))
            assert line.status == 202

        self.run(told())
        walk.asks = None

    @rule(walk=walks)
    def end(self, walk: Walk) -> None:
        """A call is over."""
        if self._waits(walk):
            walk.finished = True
            self._say(walk, "end", "there")

    def _waits(self, walk: Walk) -> bool:
        """Whether a call waits for what it is to do next."""
        return not (walk.finished or walk.session.over or walk.asks or walk.lost)

    def _say(self, walk: Walk, order: str, said: object) -> None:
        walk.said.append(said)
        walk.orders.put_nowait(order)
        self.run(self._shown(walk))

    async def _shown(self, walk: Walk) -> None:
        """What a call has said is with its client, if that is there."""
        if walk.line is not None:
            await until(lambda: walk.seen() == walk.said)

    @rule(walk=walks)
    def cut(self, walk: Walk) -> None:
        """The connection of a call breaks."""
        if walk.line is not None and not walk.session.over:
            self.run(walk.line.leave())
            walk.show()
            walk.lost = walk.last is None and not walk.finished

    @rule(walk=walks, worker=workers)
    def go_on(self, walk: Walk, worker: int) -> None:
        """A client comes back for the rest of an answer, to any worker."""

        async def resumed() -> None:
            line = walk.line = self.get(walk.session, worker, walk.last)
            await until(lambda: line.status != 0)
            assert line.status == 200, line.body
            await self._shown(walk)
            if walk.finished:
                await until(lambda: line.over)

        if walk.line is None and walk.last is not None and not walk.session.over:
            self.run(resumed())

    # ---- the session's own stream

    @rule(session=sessions, worker=workers)
    def hear(self, session: Session, worker: int) -> None:
        """A client hears what belongs to no request from now on; who heard it before is let go."""
        self._hear(session, worker, None)

    @rule(session=sessions, worker=workers)
    def hear_on(self, session: Session, worker: int) -> None:
        """A client goes on with what it heard, whether or not anybody has noticed that it had left."""
        if session.hearing is not None:
            session.last = session.hearing.last or session.last
        if session.last is not None:
            self._hear(session, worker, session.last)

    def _hear(self, session: Session, worker: int, last: str | None) -> None:
        async def heard() -> None:
            line = self.get(session, worker, last)
            await until(lambda: bool(line.events) or line.over or (last is not None and line.status == 200))
            assert line.status == 200, line.body
            if (former := session.hearing) is not None:
                await until(lambda: former.over)
                self._heard(session)
            session.hearing = line
            if last is None:
                session.owed, session.heard = set(), set()

        if not session.over:
            self.run(heard())
            self.run(self._owed(session))

    def _heard(self, session: Session) -> None:
        """Take in what came on the session's own stream."""
        assert session.hearing is not None
        session.note(session.hearing)
        session.heard |= {each["params"]["number"] for each in session.hearing.messages}
        session.last = session.hearing.last or session.last

    async def _owed(self, session: Session) -> None:
        """Everything that was said to a session since it began to hear is heard."""

        def all_heard() -> bool:
            self._heard(session)
            return session.owed <= session.heard

        if session.hearing is not None:
            await until(all_heard)

    @rule(session=sessions)
    def stop_hearing(self, session: Session) -> None:
        """The connection of the session's own stream breaks."""
        if session.hearing is not None and not session.over:
            self.run(session.hearing.leave())
            self._heard(session)
            session.hearing = None

    @rule(worker=workers)
    def news(self, worker: int) -> None:
        """Something happens that everybody is told."""

        async def told() -> None:
            self.servers[worker].notify("com.example/news", {"number": self.number})
            for session in self.all:
                await self._owed(session)

        self.number += 1
        for session in self.all:
            if session.follows() and not session.over:
                session.owed.add(self.number)
        self.run(told())

    # ---- the end

    @rule(target=ended, session=consumes(sessions), worker=workers)
    def delete(self, session: Session, worker: int) -> Session:
        """A client ends its session, at any worker."""

        async def deleted() -> None:
            assert (await self.settled(self.let_go(session, worker))).status == 204

        self.run(deleted())
        return self._over(session)

    @rule(target=ended, session=consumes(sessions))
    def expire(self, session: Session) -> Session:
        """The store forgets a session; a worker notices with the next request of it."""
        self.database.values.pop(str(session.headers["mcp-session-id"]).encode())
        for worker in (0, 1):
            self._refused(session, worker, "POST")
        return self._over(session)

    def _over(self, session: Session) -> Session:
        session.over = True
        self.run(self._let_go(session))
        return session

    async def _let_go(self, session: Session) -> None:
        lines = [walk.line for walk in session.walks] + [session.hearing]
        for line in lines:
            if line is not None:
                await until(lambda line=line: line.over)  # type: ignore[misc]
                session.note(line)
        for walk in session.walks:
            assert walk.seen() == walk.said[: len(walk.seen())]
        session.owed = set()

    @rule(session=ended, worker=workers, method=st.sampled_from(["POST", "GET", "DELETE"]))
    def name_what_is_over(self, session: Session, worker: int, method: str) -> None:
        """Whoever names a session that is over is told so."""
        self._refused(session, worker, method)

    def _refused(self, session: Session, worker: int, method: str) -> None:
        ways = {"POST": lambda: self.post(session, worker, message("ping")), "GET": lambda: self.get(session, worker)}

        async def refused() -> Line:
            return await self.settled(ways.get(method, lambda: self.let_go(session, worker))())

        line = self.run(refused())
        assert line.status == 404

    def teardown(self) -> None:
        """Every call comes to its end, and is whole for whoever is there or comes back."""
        for walk in self.called.values():
            if walk.asks is None:
                self.end(walk)
        for worker, walk in enumerate(self.called.values()):
            for _ in range(2):
                self.go_on(walk, worker % 2)
                if walk.finished and not (walk.lost or walk.session.over):
                    assert walk.seen() == walk.said
                self.cut(walk)
        self.run(self._close())
        self.runner.close()

    async def _close(self) -> None:
        for app in self.apps:
            await app.aclose()
        for session in self.all:
            for line in [session.hearing, *(walk.line for walk in session.walks)]:
                if line is not None:
                    await line.leave()
        for each in self.polling:
            each.cancel()
        await asyncio.gather(*self.polling, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Let both workers go on until something holds."""
    while not holds():
        await asyncio.sleep(0)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
