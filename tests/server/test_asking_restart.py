"""One tool body that asks twice and has one side effect, over stdio, in every revision that has elicitation.

Where questions travel in results the server is killed and started anew between the rounds: nothing it needs to go on is
kept in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcport.spec.revisions import REVISIONS
from tests.server.answering import ELICITS, accept, retry
from tests.server.wire import ALL, CAPABILITIES, NEW, VERSION, Json

BODY = """
import os
from mcport import Context, Server

server = Server("booking", seal_key=bytes.fromhex(os.environ["SEAL_KEY"]))

@server.tool
async def book(ctx: Context, hotel: str) -> str:
    city = await ctx.elicit("Which city?", str)
    number = await ctx.once("reserve", reserve)
    name = await ctx.elicit("Whose name?", str)
    return f"{hotel}, {city.data}, {name.data}, {number}"

def reserve() -> int:
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write(f"reserved by {os.getpid()}\\n")
    return 7

server.run()
"""

ANSWERS = {"Which city?": "Lyon", "Whose name?": "Ada"}


class Child:
    """A server as a child process, spoken to in raw lines."""

    def __init__(self, place: Path, revision: str, key: str) -> None:
        script = place / "booking.py"
        script.write_text(BODY)
        environment = {**os.environ, "SEAL_KEY": key, "LEDGER": str(place / "ledger")}
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.revision = revision
        if revision not in NEW:
            info = {"name": "raw", "version": "1"}
            opening = {"protocolVersion": revision, "capabilities": ELICITS, "clientInfo": info}
            self.send({"id": 0, "method": "initialize", "params": opening})
            assert self.read()["result"]["protocolVersion"] == revision
            self.send({"method": "notifications/initialized"})

    def send(self, message: Json) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> Json:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def call(self, params: Json) -> Json:
        meta = {VERSION: self.revision, CAPABILITIES: ELICITS}
        stamped = {**params, "_meta": meta} if self.revision in NEW else params
        self.send({"id": 1, "method": "tools/call", "params": stamped})
        return self.read()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def answer(question: Json) -> Json:
    return accept(value=ANSWERS[question["params"]["message"]])


@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].elicits])
def test_p20_one_body_asks_twice_with_one_effect_whatever_becomes_of_the_process(revision: str, tmp_path: Path) -> None:
    key, params = os.urandom(32).hex(), {"name": "book", "arguments": {"hotel": "Ritz"}}
    child = Child(tmp_path, revision, key)
    rounds = 0
    try:
        message = child.call(params)
        while "method" in message or message["result"].get("resultType") == "input_required":
            rounds += 1
            if "method" in message:
                child.send({"id": message["id"], "result": answer(message)})
                message = child.read()
                continue
            child.kill()
            child = Child(tmp_path, revision, key)
            answers = {name: answer(question) for name, question in message["result"]["inputRequests"].items()}
            message = child.call(retry(params, message["result"], answers))
    finally:
        child.kill()
    assert message["result"]["content"][0]["text"] == "Ritz, Lyon, Ada, 7"
    assert rounds == 2
    assert len((tmp_path / "ledger").read_text().splitlines()) == 1


def test_a_process_with_another_key_does_not_go_on(tmp_path: Path) -> None:
    params = {"name": "book", "arguments": {"hotel": "Ritz"}}
    child = Child(tmp_path, NEW[0], os.urandom(32).hex())
    try:
        first = child.call(params)["result"]
        child.kill()
        child = Child(tmp_path, NEW[0], os.urandom(32).hex())
        answers = {name: answer(question) for name, question in first["inputRequests"].items()}
        assert child.call(retry(params, first, answers))["error"]["code"] == -32602
    finally:
        child.kill()
