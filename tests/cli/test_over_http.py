"""`mcport list`, `call`, `read`, `prompt`, `complete`, `listen` with a URL: one server on loopback for all of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest

from mcport import Context, Server, ToolError
from tests.cli.commands import MCPORT, Done, Here, environment
from tests.faults.serving import Site, served

ERAS = ["2026-07-28", "2025-11-25"]


@pytest.fixture(scope="module")
def desk() -> Server:
    server = Server("Desk", "2.1")

    @server.tool
    async def add(a: int, b: int = 0) -> int:
        """Add two numbers."""
        return a + b

    @server.tool
    async def fail() -> str:
        raise ToolError("The drawer is stuck")

    @server.tool
    async def walk(ctx: Context) -> str:
        await ctx.report_progress(1, 2, "half")
        return "there"

    @server.resource("desk://about")
    def about() -> str:
        """What it is."""
        return "A desk."

    @server.prompt
    def greet(name: str, mood: Literal["calm", "loud"] = "calm") -> str:
        """Greet somebody."""
        return f"Say hello to {name}, {mood}"

    return server


@pytest.fixture(scope="module")
def site(desk: Server) -> Iterator[Site]:
    with served(desk) as site:
        yield site


@pytest.fixture
def url(site: Site) -> str:
    return f"http://127.0.0.1:{site.port}/mcp"


def outcome(done: Done) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("revision", ERAS)
def test_list_shows_all_that_is_offered(here: Here, url: str, revision: str) -> None:
    assert outcome(here("list", url, "--revision", revision)) == (
        0,
        f"Desk 2.1, protocol {revision}\n"
        "\n"
        "tools\n"
        "  add(a, [b])  Add two numbers.\n"
        "  fail()\n"
        "  walk()\n"
        "\n"
        "resources\n"
        "  desk://about  What it is.\n"
        "\n"
        "prompts\n"
        "  greet(name, [mood])  Greet somebody.\n",
        "",
    )


@pytest.mark.parametrize("revision", ERAS)
def test_what_is_asked_for_is_one_line_each(here: Here, url: str, revision: str) -> None:
    speaking = ("--revision", revision)
    assert outcome(here("call", url, "add", "a=1", "b=2", *speaking)) == (0, "3\n", "")
    assert outcome(here("read", url, "desk://about", *speaking)) == (0, "A desk.\n", "")
    assert outcome(here("prompt", url, "greet", "name=Ada", *speaking)) == (0, "user:\nSay hello to Ada, calm\n", "")
    assert outcome(here("complete", url, "greet", "mood=lou", *speaking)) == (0, "loud\n", "")
    assert outcome(here("call", url, "fail", *speaking)) == (1, "", "The drawer is stuck\n")
    walked = here("call", url, "walk", *speaking)
    assert (walked.stdout, "half" in walked.stderr) == ("there\n", True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("revision", ERAS)
def test_p7_listen_shows_each_change_and_one_interrupt_ends_it_in_silence(
    desk: Server, url: str, revision: str
) -> None:
    process = subprocess.Popen(
        [*MCPORT, "listen", url, "tools", "desk://about", "--revision", revision],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stderr.readline() == "listening to tools, desk://about\n"
    desk.notify_tools_changed()
    assert process.stdout.readline() == "tools changed\n"
    desk.notify_resource_updated("desk://about")
    assert process.stdout.readline() == "resource updated: desk://about\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 130


# ---- headers


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """Serve a tool that says what it was asked with; return its URL."""
    server = Server("guarded")

    @server.tool
    async def who(ctx: Context) -> str:
        headers = ctx.headers or {}
        return f"{headers.get('authorization')} {headers.get('x-trace')}"

    with served(server) as site:
        yield f"http://127.0.0.1:{site.port}/mcp"


@pytest.mark.parametrize("option", ["-H", "--header"])
def test_headers_go_with_each_request(here: Here, guarded: str, option: str) -> None:
    done = here("call", guarded, "who", option, "Authorization: Bearer a:b", option, "X-Trace:7")
    assert outcome(done) == (0, "Bearer a:b 7\n", "")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("secret", "mcport: --header takes 'NAME: VALUE', such as 'Authorization: Bearer ...'"),
        (":secret", "mcport: --header takes 'NAME: VALUE', such as 'Authorization: Bearer ...'"),
        ("a b: secret", "mcport: headers: 'a b' is no name of a header"),
        ("Mcp-Method: secret", "mcport: headers: Mcp-Method is said by the client itself"),
        ("A: secret\nB: c", "mcport: headers['A'] has characters that no header may have"),
    ],
)
def test_p24_a_header_that_is_none_is_one_line_without_its_value(here: Here, url: str, header: str, line: str) -> None:
    assert outcome(here("list", url, "-H", header)) == (2, "", f"{line}\n")


def test_headers_are_for_urls(here: Here) -> None:
    done = here("list", "-H", "A: b", "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mcport: headers: only for a server at a URL, which ")


# ---- one plain line


@pytest.fixture
def free() -> Iterator[int]:
    """A port where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("command", [["list"], ["listen", "tools"], ["call", "add", "a=1"]])
def test_p24_a_dead_url_is_one_line(here: Here, free: int, command: list[str]) -> None:
    url, (name, *words) = f"http://127.0.0.1:{free}/mcp", command
    line = f"mcport: Cannot reach {url}: connection refused. Is the server running?\n"
    assert outcome(here(name, url, *words)) == (3, "", line)


def test_p24_a_wrong_path_is_one_line(here: Here, site: Site) -> None:
    url = f"http://127.0.0.1:{site.port}/wrong"
    line = f"mcport: {url} answered 404: no MCP endpoint there (the default path is /mcp)\n"
    assert outcome(here("list", url)) == (3, "", line)


def test_p24_tls_where_there_is_none_is_one_line(here: Here, site: Site) -> None:
    url = f"https://127.0.0.1:{site.port}/mcp"
    done = here("list", url)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(f"mcport: Cannot reach {url}: TLS failed: ")


def test_p24_a_wrong_tool_is_one_line(here: Here, url: str) -> None:
    line = "mcport: Unknown tool 'ad' on server 'Desk'. Did you mean 'add'?\n"
    assert outcome(here("call", url, "ad")) == (4, "", line)
