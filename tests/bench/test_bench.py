"""The benchmark measures what it says: its requests are random, its answers are checked, its sums come out right.

No time is judged here; the floor's server stands in for the servers that are measured.
"""

import json
import random
import sys

import pytest

from tests.bench.contestants import floor
from tests.bench.driver import Cores, Piped, ServerFailed
from tests.bench.figures import FIGURES, Figure, Sample
from tests.bench.report import Row, table
from tests.bench.traffic import HANDSHAKE, STATELESS, Batch, Names, Traffic, WrongAnswer, check

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="pinning and CPU clocks of others are Linux's")
REVISIONS = [HANDSHAKE, STATELESS]
FASTER, MORE, SMALLER = (next(f for f in FIGURES if f.key == key) for key in ("call", "flight", "idle"))


def answer_to(request: bytes, text: str) -> bytes:
    key = json.loads(request)["id"]
    result = {"content": [{"type": "text", "text": text}]}
    return json.dumps({"jsonrpc": "2.0", "id": key, "result": result}).encode() + b"\n"


def a_call(seed: int = 1) -> tuple[Batch, bytes, int]:
    batch = Traffic(random.Random(seed), HANDSHAKE).calls("add", 1)
    arguments = json.loads(batch.requests[0])["params"]["arguments"]
    return batch, batch.requests[0], arguments["a"] + arguments["b"]


def test_the_same_seed_makes_the_same_requests_and_another_seed_others() -> None:
    assert a_call(1)[1] == a_call(1)[1] != a_call(2)[1]
    assert Names.random(random.Random(1), 5) != Names.random(random.Random(2), 5)


def test_ids_are_never_used_twice_and_keep_two_types() -> None:
    traffic = Traffic(random.Random(1), HANDSHAKE)
    batches = [traffic.calls("add", 200), traffic.calls("add", 200)]
    ids = [key for batch in batches for key in batch.expected]
    assert len(set(ids)) == 400
    assert {type(key) for key in ids} == {int, str}


def test_every_stateless_request_carries_its_version_and_capabilities() -> None:
    traffic = Traffic(random.Random(1), STATELESS)
    requests = [traffic.opening(), *traffic.calls("add", 3).requests, *traffic.lists(Names("a", "b", "c"), 3).requests]
    for request in requests:
        meta = json.loads(request)["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == STATELESS
        assert meta["io.modelcontextprotocol/clientCapabilities"] == {}


def test_a_right_answer_passes_the_check() -> None:
    batch, request, total = a_call()
    check(batch, answer_to(request, str(total)))


@pytest.mark.parametrize("fault", ["wrong sum", "missing", "twice", "of another id"])
def test_a_wrong_answer_does_not_pass_the_check(fault: str) -> None:
    batch, request, total = a_call()
    right = answer_to(request, str(total))
    answers = {
        "wrong sum": answer_to(request, str(total + 1)),
        "missing": b"",
        "twice": right * 2,
        "of another id": answer_to(b'{"id": -1}', str(total)),
    }
    with pytest.raises(WrongAnswer):
        check(batch, answers[fault])


@needs_linux
@pytest.mark.parametrize("revision", REVISIONS)
def test_the_driver_gets_every_answer_however_many_are_in_flight(revision: str) -> None:
    seed = random.Random(7)
    names, traffic, bare = Names.random(seed, 12), Traffic(seed, revision), floor(revision)
    server = Piped(bare.server(names), bare.env(), Cores.of_this_machine())
    try:
        assert "result" in json.loads(server.ask(traffic.opening()))
        batches = [traffic.calls(names.add, 300), traffic.lists(names, 9), traffic.echoes(names.echo, 2)]
        for batch, in_flight in zip(batches, (64, 8, 1), strict=True):
            run = server.pipelined(batch.requests, in_flight, keep=True)
            check(batch, run.answers)
            assert run.received == len(run.answers)
            assert run.server_cpu > 0
        alone = traffic.calls(names.add_def, 20)
        latencies, run = server.one_by_one(alone.requests)
        check(alone, run.answers)
        assert len(latencies) == 20
    finally:
        server.close()


@needs_linux
def test_a_server_that_ends_is_reported_with_what_it_said() -> None:
    server = Piped([sys.executable, "-c", "raise SystemExit('no such thing')"], {}, Cores.of_this_machine())
    try:
        with pytest.raises(ServerFailed, match="no such thing"):
            server.ask(b"{}\n")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("figure", "ours", "theirs", "ratio", "met"),
    [
        (FASTER, 20e-6, 400e-6, 20.0, True),
        (FASTER, 40e-6, 400e-6, 10.0, False),
        (MORE, 100.0, 2.0, 50.0, True),
        (MORE, 70.0, 2.0, 35.0, False),
        (SMALLER, 41.0, 80.0, 80 / 41, True),
        (SMALLER, 43.0, 80.0, 80 / 43, False),
    ],
)
def test_the_ratio_says_how_many_times_better_we_are(
    figure: Figure, ours: float, theirs: float, ratio: float, met: bool
) -> None:
    row = Row.of(figure, {f"mcport {HANDSHAKE}": [Sample(ours)], "official": [Sample(theirs)]})
    assert row.ratio == pytest.approx(ratio)
    assert row.met is met


def test_the_worse_of_our_revisions_counts() -> None:
    samples = {f"mcport {HANDSHAKE}": [Sample(90.0)], f"mcport {STATELESS}": [Sample(60.0)], "official": [Sample(1.0)]}
    assert Row.of(MORE, samples).ratio == 60.0


def test_the_cpu_ratio_compares_what_a_request_costs() -> None:
    samples = {f"mcport {HANDSHAKE}": [Sample(1.0, 20e-6)], "official": [Sample(1.0, 1000e-6)]}
    assert Row.of(MORE, samples).cpu_ratio == pytest.approx(50)


def test_the_table_stands_without_the_official_sdk() -> None:
    row = Row.of(MORE, {f"mcport {HANDSHAKE}": [Sample(90.0, 5e-6, True)]})
    text = table([row], [f"mcport {HANDSHAKE}", "official"])
    assert "90.0+" in text
    assert "the driver was the limit" in text
