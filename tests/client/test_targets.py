"""What a client can be pointed at, and what it says of things that are no target."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client, ConnectFailed, Server
from mcport.client.naming import target_of
from mcport.client.target import ChildTarget, DialTarget, ServerTarget, TransportTarget
from mcport.transports.streams import connect_tcp
from tests.client.counterpart import ALL, usual
from tests.client.playing import Wire, child_command, client_of

REVISION = "2025-11-25"
SHOW = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "initialize":
        seen = {"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[1:]}
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": seen}
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A server that says how it was started in place of its name."""
    path = tmp_path / "show it.py"
    path.write_text(SHOW)
    return path


async def started(target: Any, **options: Any) -> dict[str, Any]:
    async with Client(target, revision=REVISION, **options) as client:
        return client.server_info


# ---- what is one


async def test_a_path_to_a_script_is_run_with_this_python(show: Path) -> None:
    for target in (show, str(show)):
        assert (await started(target))["argv"] == []
    assert target_of(show).name == f"python '{show}'"


async def test_a_command_is_a_list_of_arguments_that_no_shell_reads(show: Path) -> None:
    assert (await started([sys.executable, str(show), "$HOME; x", "a b"]))["argv"] == ["$HOME; x", "a b"]


async def test_an_entry_of_an_mcpservers_file_is_a_target(show: Path, tmp_path: Path) -> None:
    entry = {"command": sys.executable, "args": [str(show), "x"], "env": {"A": "1", "B": "2"}, "cwd": str(tmp_path)}
    seen = await started(entry, env={"B": "3"})
    assert (seen["argv"], seen["env"]["A"], seen["env"]["B"]) == (["x"], "1", "3")
    assert Path(seen["cwd"]) == tmp_path.resolve()
    assert (await started({"command": sys.executable, "args": [str(show)]}))["argv"] == []


@pytest.mark.parametrize("revision", ALL)
async def test_a_server_of_this_process_is_a_target(revision: str) -> None:
    async with Client(Server("mine", "2.1"), revision=revision) as client:
        assert client.revision == revision
        assert (client.server_info["name"], client.server_info["version"]) == ("mine", "2.1")


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("transport.custom-preserve", "transport.custom")
async def test_a_transport_of_the_users_is_a_target(revision: str) -> None:
    wire = Wire(usual(revision))
    async with client_of(wire, revision) as client:
        await client.call_tool("any")
        assert (client.instructions, client.server_info) == ("Ask nicely.", {"name": "counterpart", "version": "7"})
        assert "tools" in client.capabilities
    assert wire.closed
    opening = ["server/discover"] if revision == "2026-07-28" else ["initialize", "notifications/initialized"]
    assert [message["method"] for message in wire.messages] == [*opening, "tools/call"]
    assert all(message["jsonrpc"] == "2.0" for message in wire.messages)
    if revision == "2026-07-28":
        keys = {"protocolVersion", "clientCapabilities"}
        for message in wire.messages:
            assert {f"io.modelcontextprotocol/{key}" for key in keys} <= message["params"]["_meta"].keys()


async def test_a_transport_lasts_for_one_conversation() -> None:
    client = client_of(Wire(usual(REVISION)), REVISION)
    async with client:
        pass
    with pytest.raises(ConnectFailed, match="a transport lasts for one conversation; give a function that makes a new"):
        await client.connect()


async def test_a_function_that_opens_a_transport_is_a_target_each_time_anew() -> None:
    server = Server("there")

    async def serve(stream: anyio.abc.SocketStream) -> None:
        from mcport.transports.streams import StreamTransport

        await server.serve(StreamTransport(stream))

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        client = Client(lambda: connect_tcp("127.0.0.1", port))
        for _ in range(2):
            async with client:
                assert client.server_info["name"] == "there"
        tasks.cancel_scope.cancel()
    with pytest.raises(ConnectFailed, match=r"^Cannot connect to server '.*lambda.*': "):
        await client.connect()


def test_each_kind_of_target_is_told_apart() -> None:
    assert isinstance(target_of(["x"]), ChildTarget)
    assert isinstance(target_of(Server("x")), ServerTarget)
    assert isinstance(target_of(lambda: connect_tcp("127.0.0.1", 1)), DialTarget)


async def test_a_transport_is_told_apart() -> None:
    assert isinstance(target_of(Wire({})), TransportTarget)


# ---- what is none


@pytest.mark.parametrize(
    ("target", "kind", "line"),
    [
        ("http:///mcp", ValueError, "'http:///mcp' is no URL of a server: it names no host"),
        ("https://host:high/mcp", ValueError, "'https://host:high/mcp' is no URL: Port could not be cast to integer"),
        ("uvx server", ValueError, "'uvx server' is not a Python script; give a command as a list: ['uvx', 'server']"),
        (Path("server.js"), ValueError, "'server.js' is not a Python script; give a command as a list: ['server.js']"),
        ([], ValueError, "A server's command needs at least the name of a program"),
        (["a", 1], TypeError, "Argument 1 of a server's command must be a string, got int"),
        (
            {"url": "ftp://x"},
            ValueError,
            "the url of an mcpServers entry begins with http:// or https://, not 'ftp://x'",
        ),
        ({"type": "stdio"}, ValueError, "an mcpServers entry needs a command, this one has type"),
        ({}, ValueError, "an mcpServers entry needs a command, this one has nothing"),
        ({"command": "x", "args": "y z"}, TypeError, "args of an mcpServers entry are a list of strings, not 'y z'"),
        (7, TypeError, "a client connects to a script, a command list, a Server or a transport, not to 7"),
        (None, TypeError, "a client connects to a script, a command list, a Server or a transport, not to None"),
    ],
)
def test_what_is_no_target_is_refused_in_one_line(target: Any, kind: type[Exception], line: str) -> None:
    with pytest.raises(kind) as caught:
        Client(target)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_an_unknown_revision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^revision: unknown protocol revision '2020-01-01'; known: 2026-07-28, "):
        Client(["x"], revision="2020-01-01")


@pytest.mark.parametrize("option", ["env", "cwd", "inherit_env", "stderr", "spawn_policy"])
def test_options_of_a_child_process_are_refused_where_none_is_started(option: str) -> None:
    value: Any = {"env": {"A": "1"}, "cwd": "x", "inherit_env": True}.get(option, print)
    with pytest.raises(
        TypeError, match=rf"^{option}: only for a server that the client starts, which Server\('x'\) is"
    ):
        Client(Server("x"), **{option: value})


# ---- how a child is started


async def test_a_child_gets_little_of_the_environment_and_what_is_given(
    show: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_SECRET_TOKEN", "s3cret")
    seen = await started(show, env={"GIVEN": "yes"}, cwd=tmp_path)
    assert seen["env"]["GIVEN"] == "yes"
    assert "MY_SECRET_TOKEN" not in seen["env"]
    assert Path(seen["cwd"]) == tmp_path.resolve()
    assert (await started(show, inherit_env=True))["env"]["MY_SECRET_TOKEN"] == "s3cret"


async def test_a_spawn_policy_sees_command_and_environment_and_may_forbid(show: Path) -> None:
    seen: list[Any] = []

    def policy(argv: Sequence[str], env: Mapping[str, str]) -> bool:
        seen.append((list(argv), env["A"]))
        return False

    with pytest.raises(
        ConnectFailed, match=r"^Cannot start server 'python .*show it\.py'': forbidden by the spawn policy"
    ):
        await started(show, env={"A": "1"}, spawn_policy=policy)
    assert seen == [([sys.executable, str(show)], "1")]


async def test_lines_of_stderr_are_handed_over_as_they_come(tmp_path: Path) -> None:
    lines: list[str] = []
    table = {**usual(REVISION), "tools/call": [{"stderr": "one\ntwo\x1b[31m\n"}, *usual(REVISION)["tools/call"]]}
    async with Client(child_command(tmp_path / "log", table), revision=REVISION, stderr=lines.append) as client:
        await client.call_tool("any")
    assert lines == ["one", "two\\x1b[31m"]


async def test_a_trace_shows_every_message_both_ways(tmp_path: Path) -> None:
    for target in (Wire(usual(REVISION)), child_command(tmp_path / "log", usual(REVISION)), Server("x")):
        seen: list[tuple[str, bytes]] = []
        async with Client(target, revision=REVISION, trace=lambda *passed: seen.append(passed)) as client:  # noqa: B023
            await client.ping()
        assert [way for way, _ in seen] == ["->", "<-", "->", "->", "<-"]
        assert [b'"initialize"' in seen[0][1], b'"serverInfo"' in seen[1][1], b'"ping"' in seen[3][1]] == [True] * 3
