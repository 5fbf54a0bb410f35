"""The figures of the table: what each one sends to whom, in which unit it is read, and what is asked of us.

It knows the contestants, the traffic and the driver; it refuses to know medians and tables. Each figure takes its
rounds interleaved (A B C A B C), so that a disturbance of the machine falls on everybody.
"""

import gc
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench.contestants import Contestant
from tests.bench.driver import Cores, Piped, Run, ServerFailed
from tests.bench.processes import live
from tests.bench.traffic import ECHOED, Batch, Names, Traffic, check

Making = Callable[[Traffic, Names, int], Batch]


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one contestant: the figure, CPU seconds per request if that was counted, and whose limit it is."""

    value: float
    cpu: float | None = None
    driver_bound: bool = False


Samples = dict[str, list[Sample]]


@dataclass(slots=True)
class Bench:
    """Everything that the figures of one run share."""

    contestants: Sequence[Contestant]
    rounds: int
    seed: int
    budget: float = 0.25  # seconds that one round of one contestant may take
    cores: Cores = field(default_factory=Cores.of_this_machine)

    def random(self, figure: str) -> random.Random:
        return random.Random(f"{self.seed}/{figure}")


@dataclass(slots=True)
class Conversation:
    """A server of one contestant with its opening done, and how many requests fill a round."""

    contestant: Contestant
    server: Piped
    traffic: Traffic
    names: Names
    count: int = 1

    @classmethod
    def open(cls, bench: Bench, contestant: Contestant, names: Names, seed: random.Random) -> "Conversation":
        traffic = Traffic(seed, contestant.revision)
        server = Piped(contestant.server(names), contestant.env(), bench.cores)
        try:
            answer = json.loads(server.ask(traffic.opening()))
            if "result" not in answer:
                raise ServerFailed(f"{contestant.title} refused the opening: {answer}")
            if told := traffic.opened():
                server.tell(told)
        except BaseException:
            server.close()
            raise
        return cls(contestant, server, traffic, names)

    def fill(self, seconds_per_request: float, budget: float, most: int) -> None:
        self.count = max(8, min(most, int(budget / seconds_per_request)))


@contextmanager
def conversations(bench: Bench, figure: str, tools: int) -> Iterator[list[Conversation]]:
    """One open server a contestant; all of them offer the same randomly named tools."""
    names = Names.random(bench.random(figure), tools)
    with ExitStack() as stack:
        opened = []
        for contestant in bench.contestants:
            seed = bench.random(f"{figure}/{contestant.title}")
            opened.append(Conversation.open(bench, contestant, names, seed))
            stack.callback(opened[-1].server.close)
        yield opened


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the driver's garbage collector out of the timed loops."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def one_at_a_time(make: Making) -> Callable[[Bench, str], Samples]:
    """The median time of one small request, nothing else in flight, both sides on one core."""

    def measure(bench: Bench, figure: str) -> Samples:
        def sample(talk: Conversation, batch: Batch) -> tuple[Run, float]:
            latencies, run = talk.server.one_by_one(batch.requests)
            return run, statistics.median(latencies) / 1e9

        return _rounds(bench, figure, make, sample, warm_up=200, most=20_000)

    return measure


def in_flight(make: Making, many: int, *, tools: int = 0, most: int = 100_000) -> Callable[[Bench, str], Samples]:
    """Requests a second with many of them open, the two sides on different cores."""

    def measure(bench: Bench, figure: str) -> Samples:
        def sample(talk: Conversation, batch: Batch) -> tuple[Run, float]:
            run = talk.server.pipelined(batch.requests, many, keep=True)
            return run, len(batch.requests) / run.seconds

        return _rounds(bench, figure, make, sample, warm_up=many * 4, most=most, tools=tools)

    return measure


def _rounds(
    bench: Bench,
    figure: str,
    make: Making,
    sample: Callable[[Conversation, Batch], tuple[Run, float]],
    *,
    warm_up: int,
    most: int,
    tools: int = 0,
) -> Samples:
    samples: Samples = defaultdict(list)
    with conversations(bench, figure, tools or 3 + bench.random(figure).randrange(6)) as talks:
        for talk in talks:
            batch = make(talk.traffic, talk.names, warm_up)
            run, _ = sample(talk, batch)
            check(batch, run.answers)
            talk.fill(run.seconds / warm_up, bench.budget, most)
        for _ in range(bench.rounds):
            for talk in talks:
                batch = make(talk.traffic, talk.names, talk.count)
                with undisturbed():
                    run, value = sample(talk, batch)
                check(batch, run.answers)
                samples[talk.contestant.title].append(Sample(value, run.server_cpu / talk.count, run.driver_bound))
    return samples


def echo(bench: Bench, figure: str) -> Samples:
    """Megabytes of text that come back in a second: 1 MiB a message, one in flight, on one core."""
    samples: Samples = defaultdict(list)
    with conversations(bench, figure, 3) as talks:
        for talk in talks:
            batch = talk.traffic.echoes(talk.names.echo, 8)
            run = talk.server.pipelined(batch.requests, 1, keep=True)
            check(batch, run.answers)  # here; the timed answers are only counted, for they would fill the memory
            talk.fill(run.seconds / 8, bench.budget, 200)
        for _ in range(bench.rounds):
            for talk in talks:
                batch = talk.traffic.echoes(talk.names.echo, talk.count)
                with undisturbed():
                    run = talk.server.pipelined(batch.requests, 1, keep=False)
                assert run.received > talk.count * ECHOED
                value = talk.count * ECHOED / 1e6 / run.seconds
                samples[talk.contestant.title].append(Sample(value, run.server_cpu / talk.count, run.driver_bound))
    return samples


def client_cpu(bench: Bench, figure: str) -> Samples:
    """CPU of a client per call over stdio; every client starts the same bare server."""
    seed = bench.random(figure)
    names = Names.random(seed, 3 + seed.randrange(6))
    server = next(each for each in bench.contestants if each.kind == "bare").server(names)
    samples: Samples = defaultdict(list)
    for _ in range(bench.rounds):
        for contestant in bench.contestants:
            argv = contestant.client(server, names.add, 1000 + seed.randrange(100))
            cost = float(json.loads(live(argv, contestant.env(), bench.cores).output)["cpu"])
            samples[contestant.title].append(Sample(cost, cost))
    return samples


def importing(bench: Bench, _figure: str) -> Samples:
    """Seconds of a whole process that imports a client and a server; for the floor it imports pydantic's BaseModel."""
    samples: Samples = defaultdict(list)
    for number in range(bench.rounds + 1):
        for contestant in bench.contestants:
            life = live(contestant.importing(), contestant.env(), bench.cores)
            if number:  # the first one may have to compile
                samples[contestant.title].append(Sample(life.seconds, life.cpu))
    return samples


def spawning(bench: Bench, figure: str) -> Samples:
    """Seconds from spawning a server to its answer to the opening."""
    seed = bench.random(figure)
    names, samples = Names.random(seed, 3 + seed.randrange(6)), defaultdict(list)
    for number in range(bench.rounds + 1):
        for contestant in bench.contestants:
            begin = time.perf_counter()
            talk = Conversation.open(bench, contestant, names, seed)
            seconds, cpu = time.perf_counter() - begin, talk.server.cpu_seconds()
            talk.server.close()
            if number:
                samples[contestant.title].append(Sample(seconds, cpu))
    return samples


def resident(bench: Bench, figure: str) -> Samples:
    """Resident megabytes (10^6) of a server that has answered one call and is idle."""
    samples: Samples = defaultdict(list)
    with conversations(bench, figure, 3 + bench.random(figure).randrange(6)) as talks:
        for talk in talks:
            batch = talk.traffic.calls(talk.names.add, 1)
            check(batch, talk.server.ask(batch.requests[0]))
            samples[talk.contestant.title].append(Sample(talk.server.resident_bytes() / 1e6))
    return samples


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `ask` and `reach` are factors of the official SDK's median, or amounts if `absolute`."""

    key: str
    title: str
    unit: str
    scale: float
    more_is_better: bool
    ask: float
    reach: float
    measure: Callable[[Bench, str], Samples]
    absolute: bool = False


def _add(traffic: Traffic, names: Names, count: int) -> Batch:
    return traffic.calls(names.add, count)


def _add_def(traffic: Traffic, names: Names, count: int) -> Batch:
    return traffic.calls(names.add_def, count)


_ALL = in_flight(Traffic.lists, 8, tools=100, most=2_000)

FIGURES = (
    Figure("call", "async tool, one at a time: p50", "us", 1e6, False, 1 / 18, 1 / 20, one_at_a_time(_add)),
    Figure("call-def", "def tool, one at a time: p50", "us", 1e6, False, 1 / 8, 1 / 10, one_at_a_time(_add_def)),
    Figure("flight", "async tool, 64 in flight", "calls/s", 1, True, 40, 60, in_flight(_add, 64)),
    Figure("flight-def", "def tool, 64 in flight", "calls/s", 1, True, 25, 60, in_flight(_add_def, 64)),
    Figure("list", "tools/list of 100 tools, 8 in flight", "lists/s", 1, True, 15, 30, _ALL),
    Figure("echo", "echo of 1 MiB", "MB/s", 1, True, 1, 2, echo),
    Figure("client", "client over stdio: CPU per call", "us", 1e6, False, 1 / 3, 1 / 4, client_cpu),
    Figure("import", "import of Client and Server", "ms", 1e3, False, 1 / 4, 1 / 6, importing),
    Figure("spawn", "spawn of a server to its first answer", "ms", 1e3, False, 1 / 3, 1 / 4, spawning),
    Figure("idle", "resident memory of an idle server", "MB", 1, False, 42, 36, resident, absolute=True),
)
