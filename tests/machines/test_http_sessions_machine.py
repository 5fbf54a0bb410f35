"""Sessions over HTTP that are cut, gone on with, left and ended at two workers in any order.

The model knows what each request has said, what each client was shown of it, and which sessions there are. What was
promised is held: nothing that was said on a stream is lost to a client that comes back for it, nothing is told twice on
it, ids never collide, and whoever names a session that is over is told so (2025-11-25 basic/transports).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from mcport import Context, Server
from tests.http.raw_session import STREAM, accept, call, initialize, message
from tests.http.shared_stores import Database, SharedEvents, SharedNotices, SharedSessions

from .http_clients import REVISION, Line, Session, Walk

T = TypeVar("T")

TURNS = 2_000
"""So many turns of the loop anything may take before it is said not to come."""

TICK = 0.0005
"""So many seconds pass each time that somebody asks for the time: nothing waits for a clock, or depends on one."""

MOST = 3
"""So many sessions there are at a time, and calls that wait."""


class Sessions(RuleBasedStateMachine):
    """Two workers and their clients."""

    workers = st.integers(0, 1)
    people = st.sampled_from(["ada", "bob"])
    any_one = st.integers(0, 5)  # of what there is

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        ticks = itertools.count()
        self.runner.get_loop().time = lambda: next(ticks) * TICK  # type: ignore[method-assign]
        self.called: dict[int, Walk] = {}
        self.ids: set[str] = set()
        self.number = 0
        self.all: list[Session] = []
        self.run(self._build())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop of both workers."""
        return self.runner.run(work)

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

    def post(self, session: Session, worker: int, body: bytes) -> Line:
        """Send a message."""
        return Line(self.apps[worker], body, session.headers, "POST", session.principal)

    def get(self, session: Session, worker: int, last: str | None = None) -> Line:
        """Ask for a stream, or the rest of one."""
        headers = {**session.headers, **STREAM, "last-event-id": last}
        return Line(self.apps[worker], b"", headers, "GET", session.principal)

    def let_go(self, session: Session, worker: int) -> Line:
        """End a session."""
        return Line(self.apps[worker], b"", session.headers, "DELETE", session.principal)

    async def settled(self, line: Line) -> Line:
        """Wait for a whole answer."""
        await until(lambda: line.over, "an answer did not come")
        await line.leave()
        return line

    @precondition(lambda self: len(self.sessions()) < MOST)
    @rule(worker=workers, other=workers, principal=people)
    def open(self, worker: int, other: int, principal: str) -> None:
        """A session begins at one worker and is confirmed at any."""

        async def opened() -> Session:
            opening = initialize(REVISION, elicitation={})
            line = await self.settled(Line(self.apps[worker], opening, {}, "POST", principal))
            id = line.headers["mcp-session-id"]
            assert id not in self.ids, "two sessions with one id"
            self.ids.add(id)
            session = Session(id, principal)
            told = await self.settled(self.post(session, other, message("notifications/initialized", None)))
            assert told.status == 202
            return session

        self.all.append(self.run(opened()))

    @precondition(lambda self: self.sessions() and len(self.walks(Sessions._waits)) < MOST)
    @rule(n=any_one, worker=workers)
    def call(self, n: int, worker: int) -> None:
        """A call begins, at any worker."""

        async def called() -> None:
            self.number += 1
            line = self.post(
                session, worker, call("walk", self.number, {"progressToken": self.number}, number=self.number)
            )
            walk = self.called[self.number] = Walk(session, self.number, line)
            session.walks.append(walk)
            await until(lambda: walk.begun, "a call did not reach its handler")

        session = pick(self.sessions(), n)
        self.run(called())

    @precondition(lambda self: self.walks(Sessions._waits))
    @rule(n=any_one)
    def step(self, n: int) -> None:
        """A call says how far it has come."""
        walk = pick(self.walks(Sessions._waits), n)
        walk.steps += 1
        self._say(walk, "step", walk.steps)

    @precondition(lambda self: self.walks(Sessions._reaches))
    @rule(n=any_one)
    def question(self, n: int) -> None:
        """A call asks its client; whether that is there now or comes back."""
        walk = pick(self.walks(Sessions._reaches), n)
        self.number += 1
        walk.asks = f"question {self.number}"
        self._say(walk, walk.asks, walk.asks)

    @precondition(lambda self: self.walks(Sessions._asks))
    @rule(n=any_one, worker=workers)
    def answer(self, n: int, worker: int) -> None:
        """A client answers what it has seen, at any worker."""
        walk = pick(self.walks(Sessions._asks), n)
        assert walk.asks is not None
        asked = walk.questions[walk.asks]
        assert asked["id"] not in walk.session.answered
        walk.session.answered.add(asked["id"])

        async def told() -> None:
            line = await self.settled(self.post(walk.session, worker, accept(asked, f"to {walk.asks}")))
            assert line.status == 202
            walk.asks = None
            if walk.line is not None or walk.last is not None:
                walk.steps += 1
                self._order(walk, "step", walk.steps)  # it goes on, with the answer that it was given
                await self._shown(walk)

        self.run(told())

    @precondition(lambda self: self.walks(Sessions._waits))
    @rule(n=any_one)
    def end(self, n: int) -> None:
        """A call is over."""
        self._end(pick(self.walks(Sessions._waits), n))

    def _end(self, walk: Walk) -> None:
        walk.finished = True
        self._say(walk, "end", "there")

    @staticmethod
    def _waits(walk: Walk) -> bool:
        """Whether a call waits for what it is to do next."""
        return not (walk.finished or walk.session.over or walk.asks or walk.lost)

    @staticmethod
    def _reaches(walk: Walk) -> bool:
        """Whether a call can ask its client, now or later."""
        return Sessions._waits(walk) and (walk.line is not None or walk.last is not None)

    @staticmethod
    def _asks(walk: Walk) -> bool:
        """Whether a client has seen a question and not answered it."""
        walk.seen()
        return not walk.session.over and walk.asks in walk.questions

    @staticmethod
    def _is_there(walk: Walk) -> bool:
        """Whether the client of a call is there."""
        return walk.line is not None and not walk.session.over

    @staticmethod
    def _may_return(walk: Walk) -> bool:
        """Whether the client of a call has left and may come back."""
        return walk.line is None and walk.last is not None and not walk.session.over

    def walks(self, which: Callable[[Walk], bool]) -> list[Walk]:
        """Return the calls of which something holds."""
        return [walk for walk in self.called.values() if which(walk)]

    def sessions(self, over: bool = False) -> list[Session]:
        """Return the sessions that there are, or those that are over."""
        return [session for session in self.all if session.over == over]

    def _say(self, walk: Walk, order: str, said: object) -> None:
        self._order(walk, order, said)
        self.run(self._shown(walk))

    def _order(self, walk: Walk, order: str, said: object) -> None:
        walk.said.append(said)
        walk.orders.put_nowait(order)

    async def _shown(self, walk: Walk) -> None:
        """What a call has said is with its client, if that is there."""
        if walk.line is not None:
            await until(lambda: walk.seen() == walk.said, "what a call said is lost")

    @precondition(lambda self: self.walks(Sessions._is_there))
    @rule(n=any_one)
    def cut(self, n: int) -> None:
        """The connection of a call breaks."""
        self._cut(pick(self.walks(Sessions._is_there), n))

    def _cut(self, walk: Walk) -> None:
        assert walk.line is not None
        self.run(walk.line.leave())
        walk.show()
        walk.lost = walk.last is None and not walk.finished

    @precondition(lambda self: self.walks(Sessions._may_return))
    @rule(n=any_one, worker=workers)
    def go_on(self, n: int, worker: int) -> None:
        """A client comes back for the rest of an answer, to any worker."""
        self._go_on(pick(self.walks(Sessions._may_return), n), worker)

    def _go_on(self, walk: Walk, worker: int) -> None:
        async def resumed() -> None:
            line = walk.line = self.get(walk.session, worker, walk.last)
            line.known = frozenset(walk.session.events)
            await until(lambda: line.status != 0, "nobody answered who comes back")
            assert line.status == 200, line.body
            await self._shown(walk)
            if walk.finished:
                await until(lambda: line.over, "a stream is open on which everything was said")

        self.run(resumed())

    # ---- the session's own stream

    @precondition(lambda self: self.sessions())
    @rule(n=any_one, worker=workers)
    def hear(self, n: int, worker: int) -> None:
        """A client hears what belongs to no request from now on; who heard it before is let go."""
        self._hear(pick(self.sessions(), n), worker, None)

    @precondition(lambda self: any(each.follows() for each in self.sessions()))
    @rule(n=any_one, worker=workers)
    def hear_on(self, n: int, worker: int) -> None:
        """A client goes on with what it heard, whether or not anybody has noticed that it had left."""
        session = pick([each for each in self.sessions() if each.follows()], n)
        if session.hearing is not None:
            session.last = session.hearing.last or session.last
        if session.last is not None:
            self._hear(session, worker, session.last)

    def _hear(self, session: Session, worker: int, last: str | None) -> None:
        async def heard() -> None:
            known = frozenset(session.events)
            line = self.get(session, worker, last)
            await until(lambda: bool(line.events) or line.over, "a stream does not say where its client is")
            assert line.status == 200, line.body
            if (former := session.hearing) is not None:
                await until(lambda: former.over, "a session has two streams of its own")
                self._heard(session)
            else:
                line.known = known
            session.hearing = line
            if last is None:
                session.owed, session.heard = set(), set()

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
            await until(all_heard, "what was said to a session is lost")

    @precondition(lambda self: any(each.hearing for each in self.sessions()))
    @rule(n=any_one)
    def stop_hearing(self, n: int) -> None:
        """The connection of the session's own stream breaks."""
        session = pick([each for each in self.sessions() if each.hearing], n)
        assert session.hearing is not None
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
        for session in self.sessions():
            if session.follows():
                session.owed.add(self.number)
        self.run(told())

    # ---- the end

    @precondition(lambda self: len(self.sessions()) == MOST)
    @rule(n=any_one, worker=workers)
    def delete(self, n: int, worker: int) -> None:
        """A client ends its session, at any worker."""
        session = pick(self.sessions(), n)

        async def deleted() -> None:
            assert (await self.settled(self.let_go(session, worker))).status == 204

        self.run(deleted())
        self._over(session)

    @precondition(lambda self: len(self.sessions()) == MOST)
    @rule(n=any_one)
    def expire(self, n: int) -> None:
        """The store forgets a session; a worker notices with the next request of it."""
        session = pick(self.sessions(), n)
        self.database.values.pop(session.id.encode())
        for worker in (0, 1):
            self._refused(session, worker, "POST")
        self._over(session)

    def _over(self, session: Session) -> None:
        session.over = True
        self.run(self._let_go(session))

    async def _let_go(self, session: Session) -> None:
        lines = [walk.line for walk in session.walks] + [session.hearing]
        for line in lines:
            if line is not None:
                await until(lambda line=line: line.over, "a stream outlived its session")  # type: ignore[misc]
                session.note(line)
        for walk in session.walks:
            walk.seen()
        session.owed = set()

    @precondition(lambda self: self.sessions(over=True))
    @rule(n=any_one, worker=workers, method=st.sampled_from(["POST", "GET", "DELETE"]))
    def name_what_is_over(self, n: int, worker: int, method: str) -> None:
        """Whoever names a session that is over is told so."""
        self._refused(pick(self.sessions(over=True), n), worker, method)

    @precondition(lambda self: self.sessions())
    @rule(n=any_one, worker=workers, method=st.sampled_from(["POST", "GET", "DELETE"]))
    def name_what_is_anothers(self, n: int, worker: int, method: str) -> None:
        """Whoever names a session of somebody else is told that there is none, and it goes on."""
        session = pick(self.sessions(), n)
        other = Session(session.id, "ada" if session.principal == "bob" else "bob")
        self._refused(other, worker, method, session.last)

    def _refused(self, session: Session, worker: int, method: str, last: str | None = None) -> None:
        ways = {
            "POST": lambda: self.post(session, worker, message("ping")),
            "GET": lambda: self.get(session, worker, last),
        }

        async def refused() -> Line:
            return await self.settled(ways.get(method, lambda: self.let_go(session, worker))())

        line = self.run(refused())
        assert line.status == 404, "a session was served that is over, or is another's"

    def teardown(self) -> None:
        """Every call comes to its end, and is whole for whoever is there or comes back."""
        for walk in self.walks(Sessions._waits):
            self._end(walk)
        for worker in (0, 1):
            for walk in self.walks(Sessions._is_there):
                self._cut(walk)
            for walk in self.walks(Sessions._may_return):
                self._go_on(walk, worker)
                assert walk.seen() == walk.said, "what a call said is lost"
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


def pick(those: list[T], n: int) -> T:
    """Return one of those that there are."""
    return those[n % len(those)]


async def until(holds: Callable[[], bool], or_else: str) -> None:
    """Let both workers go on until something holds."""
    for _ in range(TURNS):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError(or_else)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=20,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # what fails is told at once; `Phase.shrink` makes it short in a few minutes
)
