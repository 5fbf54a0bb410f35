"""`server.run("http")` and `serve_http`: where it listens, what it says, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import anyio
import httpx
import pytest

from mcport import Server
from mcport.errors import CannotListen
from mcport.transports.http.server.binding import listen

from .bridge import USUAL, stateless

PROGRAM = """
from contextlib import asynccontextmanager
import anyio
from mcport import Context, Server

@asynccontextmanager
async def lifespan(server):
    yield
    print("left", flush=True)

server = Server("weather", lifespan=lifespan)

@server.tool
async def wait(ctx: Context) -> None:
    await ctx.report_progress(1)
    await anyio.sleep_forever()

server.run("http", port=0, listening=lambda url: print(url, flush=True))
"""
OPEN = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
HEADERS = {name: value for name, value in USUAL.items() if name != "host"}


@contextmanager
def program(text: str = PROGRAM) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program that serves and has said where."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, process.stderr and process.stderr.read()
            yield process, url
        finally:
            process.kill()


def kept(call: dict[str, object]) -> dict[str, object]:
    """The arguments of httpx for a request that the bridge would send."""
    return {"content": call["body"], "headers": {**HEADERS, **call["headers"]}}  # type: ignore[dict-item]


def session(http: httpx.Client, url: str) -> dict[str, str]:
    """Open a session and return the headers of its requests."""
    answer = http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": OPEN}, headers=HEADERS)
    assert answer.status_code == 200
    return {**HEADERS, "mcp-session-id": answer.headers["mcp-session-id"]}


@pytest.mark.requirement("http.bind-localhost")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_p8_one_signal_ends_a_server_with_open_streams_in_under_two_seconds_and_says_nothing(number: int) -> None:
    with program() as (process, url), httpx.Client(timeout=10) as http, ExitStack() as streams:
        assert url.startswith("http://127.0.0.1:")
        hearing = session(http, url)
        streams.enter_context(http.stream("GET", url, headers=hearing))
        listening = stateless("subscriptions/listen", notifications={"toolsListChanged": True})
        followed = streams.enter_context(http.stream("POST", url, **kept(listening)))  # type: ignore[arg-type]
        lines = followed.iter_lines()
        assert "acknowledged" in next(lines)
        running = stateless("tools/call", name="wait", arguments={}, meta={"progressToken": 1})
        called = streams.enter_context(http.stream("POST", url, **kept(running)))  # type: ignore[arg-type]
        progress = called.iter_lines()
        assert "notifications/progress" in next(progress)
        began = time.monotonic()
        process.send_signal(number)
        said, complained = process.communicate(timeout=10)
        took = time.monotonic() - began
        assert "resultType" in "".join(lines)
    assert (process.returncode, said, complained) == (0, "left\n", "")
    assert took < 2


def test_a_port_in_use_is_told_with_the_next_free_one() -> None:
    with listen("127.0.0.1", 0)[0] as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as caught:
            Server("s").run("http", port=port, listening=pytest.fail)
        line = str(caught.value)
        assert line.startswith(f"port {port} of 127.0.0.1 is in use; port ")
        free = int(line.removesuffix(" is free").rpartition(" ")[2])
        with listen("127.0.0.1", free)[0] as found:
            assert found.getsockname()[1] == free > port


def test_connections_send_at_once_on_plain_asyncio() -> None:
    with listen("127.0.0.1", 0)[0] as listening:
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_a_host_that_others_reach_is_refused_until_the_names_are_said(host: str) -> None:
    with pytest.raises(ValueError, match=r"allowed_hosts=\['mcp.example.com'"):
        Server("s").run("http", host=host)


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("192.0.2.1", "host '192.0.2.1' is no address of this machine"),
        ("no such name", "host 'no such name' is no address of this machine, such as '127.0.0.1' or '::'"),
    ],
)
def test_a_host_that_is_none_of_this_machine_is_one_line(host: str, line: str) -> None:
    with pytest.raises(CannotListen) as caught:
        Server("s").run("http", host=host, port=0, allowed_hosts=["*"])
    assert str(caught.value) == line


def test_a_port_that_is_none_is_one_line() -> None:
    with pytest.raises(CannotListen, match=r"^a port is a number from 0 to 65535, not 70000$"):
        Server("s").run("http", port=70000)


def test_options_of_http_are_refused_where_there_is_no_http() -> None:
    with pytest.raises(TypeError, match=r"^port, path: only for run\('http'\)$"):
        Server("s").run(port=1, path="/x")
    with pytest.raises(ValueError, match="transport is 'stdio' or 'http', not 'tcp'"):
        Server("s").run("tcp")  # type: ignore[arg-type]


def test_what_the_lifespan_raises_comes_out() -> None:
    text = PROGRAM.replace("    yield\n", "    raise LookupError('no database')\n    yield\n")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "LookupError: no database"
    assert done.stdout == ""


@contextmanager
def _no_ipv6() -> Iterator[None]:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    yield


@pytest.mark.anyio
class TestInARunningLoop:
    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    async def _served(self, host: str) -> None:
        server, url, more = Server("weather"), "", anyio.Event()

        def told(where: str) -> None:
            nonlocal url
            url = where
            more.set()

        async with anyio.create_task_group() as tasks:

            async def serve() -> None:
                await server.serve_http(host=host, port=0, listening=told)

            tasks.start_soon(serve)
            with anyio.fail_after(10):
                await more.wait()
                async with httpx.AsyncClient() as http:
                    answer = await http.post(url, **kept(stateless("server/discover")))  # type: ignore[arg-type]
                    assert answer.json()["result"]["resultType"] == "complete"
                    assert "server" not in answer.headers
                tasks.cancel_scope.cancel()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_it_serves_until_it_is_cancelled(self, host: str) -> None:
        await self._served(host)

    async def test_an_address_of_ipv6_is_served(self) -> None:
        with _no_ipv6():
            await self._served("::1")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_on_trio_it_says_what_to_do_instead() -> None:
    with pytest.raises(RuntimeError, match="hypercorn"):
        await Server("s").serve_http(port=0)
