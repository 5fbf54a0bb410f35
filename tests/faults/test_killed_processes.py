"""A server whose process is killed in a call: the call fails at once, and the next one reaches who took its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from mcport import Client
from mcport.errors import ConnectionLost
from tests.cli.commands import MCPORT, environment

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by a signal of POSIX"),
]

SERVER = """
import anyio
from mcport import Context, Server

server = Server("victim")

@server.tool
async def wait(ctx: Context) -> str:
    await ctx.report_progress(1)
    await anyio.sleep_forever()
    return "never"

@server.tool
def add(a: int, b: int) -> int:
    return a + b
"""


class Process:
    """A server in a process of its own, at a port that is free or was its predecessor's."""

    def __init__(self, file: Path, port: str = "0") -> None:
        command = [*MCPORT, "run", str(file), "--http", "--port", port]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
        assert self._process.stderr is not None
        self.url = next(line for line in self._process.stderr if "http://" in line).rpartition(" ")[2].strip()
        self.port = self.url.rpartition(":")[2].partition("/")[0]

    def kill(self) -> None:
        """End it without a word. Harmless the second time."""
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
async def test_p3_a_call_fails_with_its_server_and_the_next_one_finds_the_new_one(
    tmp_path: Path, revision: str
) -> None:
    file = tmp_path / "victim.py"
    file.write_text(SERVER)
    first = Process(file)
    living = [first]

    async def kill(value: float, total: float | None, message: str | None) -> None:
        first.kill()
        living[:] = [Process(file, first.port)]

    try:
        async with Client(first.url, revision=revision) as client:
            with anyio.fail_after(20):
                with pytest.raises(ConnectionLost):
                    await client.call_tool("wait", progress=kill)
                assert (await client.call_tool("add", {"a": 1, "b": 1})).text() == "2"
    finally:
        for process in living:
            process.kill()
