"""Importing mcport is cheap and changes nothing: no HTTP stack, no network, no logging set-up (P17, P18)."""

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = ("httpx", "httpcore", "starlette", "uvicorn", "sse_starlette", "cryptography", "jsonschema_rs", "httpx_sse")
FACE = "from mcport import Client, Server"

LOADED = """
import sys
{face}
print(*sorted(name for name in {heavy!r} if name in sys.modules))
"""

TOUCHED = """
import logging, signal, sys, threading
seen = []
sys.addaudithook(lambda event, arguments: event.partition(".")[0] in {{"socket", "subprocess", "urllib", "http"}}
    and event != "socket.__new__" and seen.append(event))
root = logging.getLogger()
before = (root.level, list(root.handlers), list(root.filters), logging.root.manager.disable, sys.excepthook,
    signal.getsignal(signal.SIGINT), threading.active_count())
{face}
after = (root.level, list(root.handlers), list(root.filters), logging.root.manager.disable, sys.excepthook,
    signal.getsignal(signal.SIGINT), threading.active_count())
loud = [name for name, log in logging.root.manager.loggerDict.items()
    if name.startswith("mcport") and getattr(log, "handlers", None)]
print(seen, before == after, loud)
"""

COST = """
import time
before = time.process_time()
{face}
print(time.process_time() - before)
"""

CONVERSATION = """
import logging, sys, threading
import anyio
from mcport import Client, Server
seen = []
server = Server("quiet")

@server.tool
async def add(a: int, b: int) -> int:
    return a + b

async def main():
    for revision in ("2026-07-28", "2025-11-25", "2024-11-05"):
        async with Client(server, revision=revision) as client:
            await client.list_tools()
            await client.call_tool("add", {{"a": 1, "b": 2}})

root = logging.getLogger()
before = (root.level, list(root.handlers), logging.root.manager.disable, sys.stdout, sys.stderr)
sys.addaudithook(lambda event, arguments: event in {{"socket.connect", "socket.bind", "socket.getaddrinfo",
    "socket.sendto", "subprocess.Popen", "urllib.Request", "webbrowser.open"}} and seen.append(event))
anyio.run(main)
after = (root.level, list(root.handlers), logging.root.manager.disable, sys.stdout, sys.stderr)
assert before == after
assert seen == [], seen
"""

ROOMS = tomllib.loads(Path(__file__).with_name("loaded.toml").read_text(encoding="utf-8"))
"""What may be loaded, by what somebody does."""

PLAIN_SERVER = """
import sys
from mcport import Server
server = Server("plain")

@server.tool
async def rooms() -> str:
    return " ".join(name for name in sys.modules if name.startswith("mcport."))
"""

PLAIN_CLIENT = """
import sys
from mcport import Client
client = Client([sys.executable, "-c", {server!r}], revision={revision!r})
"""

CONNECTING = """
import asyncio

async def main():
    async with client:
        print((await client.call_tool("rooms")).text())
        {show}

asyncio.run(main())
"""

SHOW = 'print(" ".join(name for name in sys.modules if name.startswith("mcport.")))'


def allowed(*doings: str) -> set[str]:
    return {f"mcport.{room}" for doing in doings for room in ROOMS[doing]["rooms"]}


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def test_p17_the_face_loads_no_http_stack_and_nothing_else_that_is_heavy() -> None:
    assert run(LOADED.format(face=FACE, heavy=HEAVY)).stdout.split() == []


def test_p18_importing_the_face_touches_nothing_and_says_nothing() -> None:
    done = run(TOUCHED.format(face=FACE))
    assert done.stdout.strip() == "[] True []"
    assert done.stderr == ""


def test_p17_importing_the_package_alone_loads_nothing_of_third_parties() -> None:
    assert run(LOADED.format(face="import mcport", heavy=(*HEAVY, "pydantic", "anyio"))).stdout.split() == []


def test_p17_importing_the_face_is_a_small_part_of_a_second() -> None:
    """Time of the processor, so that a busy machine does not matter; the bound is several times what it takes."""
    took = min(float(run(COST.format(face=FACE)).stdout) for _ in range(2))
    assert took < 0.7


def test_p18_a_whole_conversation_says_nothing_and_reaches_no_network() -> None:
    done = run(CONVERSATION.format())
    assert (done.stdout, done.stderr) == ("", "")


def test_p17_a_server_with_one_tool_loads_no_room_of_a_feature_that_it_does_not_use() -> None:
    loaded = set(run(PLAIN_SERVER + SHOW).stdout.split())
    assert loaded - allowed("making a server") == set()


def test_p17_a_client_loads_no_room_of_a_feature_that_it_does_not_use() -> None:
    loaded = set(run(PLAIN_CLIENT.format(server="", revision=None) + SHOW).stdout.split())
    assert loaded - allowed("making a client") == set()


def test_p17_neither_a_client_nor_a_server_of_the_commonest_types_loads_pydantic_until_something_is_typed() -> None:
    """Its Python part takes longer to load than all of mcport."""
    look = "print(*(name for name in sys.modules if name.startswith('pydantic.')))"
    assert run(PLAIN_SERVER + PLAIN_CLIENT.format(server="", revision=None) + look).stdout.split() == []


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-11-25", "2026-07-28"])
def test_p17_a_server_of_the_commonest_types_answers_a_list_without_pydantic_and_the_types_of_the_facade(
    revision: str,
) -> None:
    server = PLAIN_SERVER.replace('"mcport."', '("pydantic.", "mcport.spec.types")') + "server.run()"
    listing = CONNECTING.format(show="").replace("print", "await client.list_tools(); print")
    assert run(PLAIN_CLIENT.format(server=server, revision=revision) + listing).stdout.split() == []


def test_p17_titles_and_their_like_load_neither_the_types_of_the_facade_nor_pydantic() -> None:
    """What is said of a server or a tool is checked when it is said, by rules that cost only who says it."""
    said = "server = Server('titled', '1', title='T', instructions='I', page_size=3)\n"
    said += "server.tool(title='T', description='D', meta={'a': 1}, structured=False)(rooms)\n"
    look = "print(*(name for name in sys.modules if name.startswith(('pydantic.', 'mcport.spec.types'))))"
    assert run(PLAIN_SERVER + said + look).stdout.split() == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have rooms of their own on Windows")
@pytest.mark.parametrize("revision", ["2024-11-05", "2025-11-25", "2026-07-28"])
def test_p17_until_the_first_answer_neither_side_loads_a_room_of_a_feature_that_is_not_used(revision: str) -> None:
    script = PLAIN_CLIENT.format(server=PLAIN_SERVER + "server.run()", revision=revision) + CONNECTING.format(show=SHOW)
    server, client = run(script).stdout.splitlines()
    assert set(server.split()) - allowed("making a server", "serving a first call") == set()
    assert set(client.split()) - allowed("making a client", "making a first call") == set()


def test_every_room_that_may_be_loaded_is_there() -> None:
    gone = [room for doing in ROOMS for room in ROOMS[doing]["rooms"] if find_spec(f"mcport.{room}") is None]
    assert gone == []
