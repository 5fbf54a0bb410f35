"""The figures over HTTP: what each one sends to whom, in which unit it is read, and what is asked of us.

It knows the contestants, the traffic and the load; it refuses to know medians and tables. Rounds are interleaved.
"""

from __future__ import annotations

import json
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from tests.bench.contestants import FLOOR, OURS, THEIRS
from tests.bench.driver import ServerFailed
from tests.bench.figures import Bench, Figure, Sample, Samples, undisturbed
from tests.bench.http.contestants import Served
from tests.bench.http.load import Lines, Listening
from tests.bench.http.posting import lines_of, post, session_of
from tests.bench.processes import live
from tests.bench.traffic import ECHOED, HANDSHAKE, STATELESS, Batch, Names, Traffic, check

WARM_UP = 100  # requests on each connection
SESSIONS = 1_000
MOST = 4_000  # requests on each connection in one round


@dataclass(slots=True)
class Talk:
    """One server with its connections, and a session on each of them where its revision has sessions."""

    contestant: Served
    lines: Lines
    traffic: Traffic
    names: Names
    sessions: list[str | None]
    count: int = WARM_UP

    def posts(self, batch: Batch, line: int) -> list[bytes]:
        """Return the requests of a batch as they are sent on one connection."""
        session, revision = self.sessions[line], self.contestant.revision
        return [post(each, revision, session) for each in batch.requests]

    def calls(self) -> tuple[list[Batch], list[list[bytes]]]:
        """Return a round's calls for each connection: what is expected, and the bytes."""
        batches = [self.traffic.calls(self.names.add, self.count) for _ in self.lines.sockets]
        return batches, [self.posts(batch, line) for line, batch in enumerate(batches)]


def open_session(lines: Lines, traffic: Traffic, line: int = 0) -> str:
    """Open a session on one connection and return its id."""
    id = session_of(lines.ask(post(traffic.opening(), HANDSHAKE), line))
    lines.ask(post(traffic.opened(), HANDSHAKE, id), line)
    return id


@contextmanager
def talks(bench: Bench, figure: str, revision: str, many: int, streams: bool = False) -> Iterator[list[Talk]]:
    """One open server a contestant, with so many connections; all offer the same randomly named tools."""
    names = Names.random(bench.random(figure), 3 + bench.random(figure).randrange(6))
    with ExitStack() as stack:
        opened = []
        for each in bench.contestants:
            assert isinstance(each, Served)
            contestant = replace(each, revision=revision)
            port = _free_port()
            argv = contestant.serving(names, port, streams)
            server = Listening(argv, contestant.env(), bench.cores, port)
            stack.callback(server.close)
            lines = Lines(server, many)
            stack.callback(lines.close)
            traffic = Traffic(bench.random(f"{figure}/{each.title}"), revision)
            sessions = [None if traffic.stateless else open_session(lines, traffic, line) for line in range(many)]
            opened.append(Talk(contestant, lines, traffic, names, sessions))
        yield opened


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def side_by_side(revision: str, many: int, streams: bool = False) -> Callable[[Bench, str], Samples]:
    """Requests a second on so many connections, each of which carries one at a time."""

    def sample(talk: Talk, bench: Bench) -> Sample:
        batches, requests = talk.calls()
        with undisturbed():
            run, answers = talk.lines.side_by_side(requests)
        total = talk.count * many
        check(_joined(batches), lines_of(answers))
        talk.count = max(8, min(MOST, int(bench.budget / run.seconds * talk.count)))
        return Sample(total / run.seconds, run.server_cpu / total, run.driver_bound)

    return _rounds(revision, many, streams, sample)


def one_at_a_time(revision: str) -> Callable[[Bench, str], Samples]:
    """The median time of one request, nothing else in flight, both sides on one core."""

    def sample(talk: Talk, bench: Bench) -> Sample:
        [batch], [requests] = talk.calls()
        with undisturbed():
            run, answers, median = talk.lines.one_by_one(requests)
        check(batch, lines_of(answers))
        talk.count = max(8, min(MOST, int(bench.budget / median)))
        return Sample(median, run.server_cpu / len(requests), run.driver_bound)

    return _rounds(revision, 1, False, sample)


def echo(revision: str) -> Callable[[Bench, str], Samples]:
    """Megabytes of text that come back in a second: 1 MiB a message, one in flight."""

    def sample(talk: Talk, bench: Bench) -> Sample:
        batch = talk.traffic.echoes(talk.names.echo, 12)
        requests = talk.posts(batch, 0)
        with undisturbed():
            run, answers, _ = talk.lines.one_by_one(requests)
        check(batch, lines_of(answers))
        return Sample(12 * ECHOED / 1e6 / run.seconds, run.server_cpu / 12)

    return _rounds(revision, 1, False, sample)


def _rounds(
    revision: str, many: int, streams: bool, sample: Callable[[Talk, Bench], Sample]
) -> Callable[[Bench, str], Samples]:
    def measure(bench: Bench, figure: str) -> Samples:
        samples: Samples = defaultdict(list)
        with talks(bench, figure, revision, many, streams) as opened:
            for talk in opened:
                sample(talk, bench)  # warms up, and finds out how much fills a round
            for _ in range(bench.rounds):
                for talk in opened:
                    samples[talk.contestant.title].append(sample(talk, bench))
        return samples

    return measure


def _joined(batches: list[Batch]) -> Batch:
    return Batch([], {key: value for batch in batches for key, value in batch.expected.items()})


def idle_sessions(bench: Bench, figure: str) -> Samples:
    """Kilobytes (of 1024) that a session takes which was opened and left."""
    samples: Samples = defaultdict(list)
    with talks(bench, figure, HANDSHAKE, 1) as opened:
        for talk in opened:
            for _ in range(WARM_UP):
                open_session(talk.lines, talk.traffic)
            before = talk.lines.server.resident_bytes()
            for _ in range(SESSIONS):
                open_session(talk.lines, talk.traffic)
            grown = talk.lines.server.resident_bytes() - before
            samples[talk.contestant.title].append(Sample(grown / SESSIONS / 1024))
    samples.pop(FLOOR, None)  # which has no sessions
    return samples


def client_cpu(revision: str, httpx: bool = False) -> Callable[[Bench, str], Samples]:
    """CPU of a client per call; all call the same bare application, ours with `httpx` through a client of httpx."""

    def measure(bench: Bench, figure: str) -> Samples:
        seed = bench.random(figure)
        names = Names.random(seed, 3)
        samples: Samples = defaultdict(list)
        bare = next(each for each in bench.contestants if each.kind == FLOOR)
        assert isinstance(bare, Served)
        port = _free_port()
        server = Listening(bare.serving(names, port, False), bare.env(), bench.cores, port)
        try:
            for _ in range(bench.rounds):
                for each in bench.contestants:
                    if isinstance(each, Served) and each.kind in (OURS, THEIRS) and each.loop == bare.loop:
                        url = f"http://127.0.0.1:{port}/mcp"
                        argv = replace(each, revision=revision).client(url, names.add, 500, httpx)
                        cost = float(json.loads(live(argv, each.env(), bench.cores).output)["cpu"])
                        samples[each.title].append(Sample(cost, cost))
        finally:
            server.close()
        return samples

    return measure


def listeners(bench: Bench, figure: str) -> Samples:
    """Seconds until each of many idle streams has heard of one change; kilobytes that a stream takes are printed."""
    from tests.bench.http.listening import STREAMS, listening

    samples: Samples = defaultdict(list)
    ours = replace(bench, contestants=[each for each in bench.contestants if each.kind == OURS])
    with talks(ours, figure, STATELESS, 1) as opened:
        for talk in opened:
            spent, grown = listening(talk.lines, talk.traffic)
            samples[talk.contestant.title].append(Sample(spent, talk.lines.server.cpu_seconds()))
            print(f"{talk.contestant.title}: {STREAMS} streams, {grown / STREAMS / 1024:.1f} KiB each")
            if spent < 0:
                raise ServerFailed("time runs backwards")
    return samples


FIGURES = (
    Figure("call-32", "tools/call, 32 connections", "req/s", 1, True, 8, 12, side_by_side(STATELESS, 32)),
    Figure("call-1", "tools/call, 1 connection: p50", "us", 1e6, False, 1 / 5, 1 / 7, one_at_a_time(STATELESS)),
    Figure("session-32", "2025-11-25 session, 32 connections", "req/s", 1, True, 8, 12, side_by_side(HANDSHAKE, 32)),
    Figure("stream-32", "the same, a stream each", "req/s", 1, True, 6, 8, side_by_side(HANDSHAKE, 32, streams=True)),
    Figure("echo", "echo of 1 MiB", "MB/s", 1, True, 1.5, 2, echo(STATELESS)),
    Figure("client", "client: CPU per call", "us", 1e6, False, 1 / 3, 1 / 4, client_cpu(STATELESS)),
    Figure("client-httpx", "the same through httpx", "us", 1e6, False, 1 / 2, 1 / 3, client_cpu(STATELESS, httpx=True)),
    Figure("idle-session", "memory per idle session", "KiB", 1, False, 16, 8, idle_sessions, absolute=True),
    Figure("listen", "a change told to 10,000 streams", "ms", 1e3, False, 1000, 500, listeners, absolute=True),
)
