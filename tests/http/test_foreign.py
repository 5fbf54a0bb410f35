"""The application under ASGI servers of others: uvicorn, and hypercorn on both event loops."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import environment

from .bridge import stateless
from .test_running import kept, session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

PROGRAM = """
import anyio
from mcport import Server
from starlette.applications import Starlette
from starlette.routing import Route

server = Server("weather")

@server.tool
async def wait() -> None:
    await anyio.sleep_forever()

@server.tool
async def add(a: int, b: int) -> int:
    return a + b

app = server.asgi()
mounted = Starlette(routes=[Route("/mcp", server.asgi())])
"""
ADD = stateless("tools/call", name="add", arguments={"a": 2, "b": 40})


@contextmanager
def served(folder: Path, module: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program served by a server that says where; nothing that it says later is read."""
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", module, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment()) as process:
        try:
            assert process.stderr is not None
            found = next(filter(None, (re.search(r"http://[\w.]+:\d+", line) for line in process.stderr)))
            yield process, f"{found[0]}/mcp"
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> float:
    """Interrupt a server once, and return how many seconds it took to end."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return time.monotonic() - began


@pytest.mark.parametrize("app", ["app", "mounted"])
def test_p8_the_end_of_a_uvicorn_of_somebody_else_is_noticed_while_streams_are_open(tmp_path: Path, app: str) -> None:
    with (
        served(tmp_path, "uvicorn", f"program:{app}", "--port", "0") as (process, url),
        httpx.Client(timeout=10) as http,
        http.stream("GET", url, headers=session(http, url)) as hearing,
    ):
        lines = hearing.iter_lines()  # kept: httpx leaves when it is thrown away
        assert next(lines)
        assert ended(process) < 2
    assert process.returncode == 0


@pytest.mark.parametrize("kind", ["asyncio", "uvloop", "trio"])
def test_hypercorn_serves_it_on_every_loop(tmp_path: Path, kind: str) -> None:
    for name in ("hypercorn", kind):
        pytest.importorskip(name, reason=f"{name} is not installed")
    words: Sequence[str] = ("program:app", "-k", kind, "--bind", "127.0.0.1:0", "--graceful-timeout", "0")
    with served(tmp_path, "hypercorn", *words) as (process, url), httpx.Client(timeout=10) as http:
        answer = http.post(url, **kept(ADD))  # type: ignore[arg-type]
        assert answer.json()["result"]["structuredContent"] == 42
        with http.stream("GET", url, headers=session(http, url)) as hearing:
            lines = hearing.iter_lines()
            assert next(lines)
            assert ended(process) < 5
