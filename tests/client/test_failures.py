"""What a client says when a conversation fails: one typed error that names the server, the phase and the cause."""

import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport import (
    Client,
    ConnectFailed,
    ConnectionLost,
    ConversationError,
    InvalidAnswer,
    RemoteError,
    Server,
    Timeout,
)
from mcport.client import target
from mcport.core.limits import CLIENT_LIMITS
from tests.client.counterpart import ALL, error, result, usual
from tests.client.playing import Wire, child_command, child_pid, client_of, is_running

REVISION = "2025-11-25"


def script(tmp_path: Path, text: str) -> str:
    """A server's script that fails in its own way."""
    path = tmp_path / "server.py"
    path.write_text(text)
    return str(path)


# ---- P3: the server dies


@pytest.mark.parametrize("revision", ALL)
async def test_p3_when_the_server_is_killed_exactly_the_pending_calls_fail(tmp_path: Path, revision: str) -> None:
    """P3, with a few hundred calls in flight."""
    log = tmp_path / "log"
    table = {**usual(revision), "tools/call hang": []}
    async with Client(child_command(log, table), revision=revision) as client:
        answered = await client.call_tool("quick")
        handles = [client.start_tool("hang") for _ in range(300)]
        await client.call_tool("quick")  # by now all the others have been sent
        os.kill(child_pid(log), signal.SIGKILL)
        lost = []
        for handle in handles:
            try:
                await handle
            except Exception as fault:
                lost.append(fault)
        assert answered.content[0].text == "done"  # type: ignore[union-attr]
        assert {type(fault) for fault in lost} == {ConnectionLost}
        assert len(lost) == 300
        assert isinstance(lost[0], ConnectionError)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
async def test_p2_p5_a_lost_connection_names_server_phase_cause_code_and_stderr(tmp_path: Path) -> None:
    table = {**usual(REVISION), "tools/call": [{"stderr": "first\nthe disk is full\n"}, {"exit": 3}]}
    client = Client(child_command(tmp_path / "log", table), revision=REVISION)
    async with client:
        with pytest.raises(ConnectionLost) as caught:
            await client.call_tool("any")
    fault = caught.value
    assert (fault.phase, fault.cause, fault.exit_code) == ("tools/call", "it exited with code 3", 3)
    assert fault.stderr_tail == "first\nthe disk is full\n"
    assert str(fault) == (
        f"tools/call any on server '{fault.server}': connection lost, it exited with code 3."
        " Last stderr: the disk is full"
    )
    assert "The end of the server's stderr:\nfirst\nthe disk is full" in "".join(traceback.format_exception(fault))


async def test_a_server_that_dies_while_nothing_is_asked_fails_the_next_call(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with Client(child_command(log, usual(REVISION)), revision=REVISION) as client:
        os.kill(child_pid(log), signal.SIGKILL)
        with pytest.raises(ConnectionLost, match="it was ended by SIGKILL"):
            await client.list_tools()


async def test_once_lost_every_later_call_says_so_with_the_first_cause(tmp_path: Path) -> None:
    table = {**usual(REVISION), "tools/call": [{"stderr": "no memory\n"}, {"exit": 9}]}
    client = Client(child_command(tmp_path / "log", table), revision=REVISION)
    await client.connect()
    with pytest.raises(ConnectionLost):
        await client.call_tool("any")
    assert not client.connected
    assert client.server_info["name"] == "counterpart"
    for method in ("tools/list", "ping"):
        with pytest.raises(
            ConnectionLost, match=r"connection lost, it exited with code 9. Last stderr: no memory$"
        ) as e:
            await client.request(method)
        assert (e.value.phase, e.value.exit_code) == (method, 9)
    with pytest.raises(ConnectionLost, match="it exited with code 9"):
        client.notify("notifications/roots/list_changed")
    await client.aclose()


async def test_a_lost_client_can_be_connected_again(tmp_path: Path) -> None:
    table = {**usual(REVISION), "tools/call die": [{"exit": 9}]}
    client = Client(child_command(tmp_path / "log", table), revision=REVISION)
    for _ in range(2):
        await client.connect()
        pid = child_pid(tmp_path / "log")
        await client.call_tool("any")
        with pytest.raises(ConnectionLost):
            await client.call_tool("die")
    await client.aclose()
    assert not is_running(pid)


async def test_a_server_that_talks_nonsense_is_given_up_and_connecting_again_ends_it(tmp_path: Path) -> None:
    table = {**usual(REVISION), "tools/call": ["not a message"] * 4}
    client = Client(child_command(tmp_path / "log", table), revision=REVISION, limits=CLIENT_LIMITS.but(bad_lines=3))
    await client.connect()
    first = child_pid(tmp_path / "log")
    with pytest.raises(ConnectionLost, match=r"connection lost, it sent more than 3 lines that are no messages$"):
        await client.call_tool("any")
    assert is_running(first)
    await client.connect()
    assert not is_running(first)
    await client.list_tools()
    await client.aclose()


async def test_answers_that_cannot_be_read_fail_their_own_calls_and_do_not_end_the_conversation() -> None:
    broken = '{"jsonrpc": "2.0", "id": $id, "result": {"content": [}}'
    wire = Wire({**usual(REVISION), "tools/call broken": [broken]})
    async with client_of(wire, REVISION, limits=CLIENT_LIMITS.but(bad_lines=3)) as client:
        for _ in range(5):
            with pytest.raises(InvalidAnswer, match=r"^tools/call broken on server 'Wire': "):
                await client.call_tool("broken")
        await client.call_tool("any")


async def test_a_transport_that_breaks_fails_the_pending_call_with_its_reason() -> None:
    wire = Wire({**usual(REVISION), "tools/call": [{"exit": 0}]})
    async with client_of(wire, REVISION) as client:
        with pytest.raises(ConnectionLost, match="connection lost, the counterpart hung up") as caught:
            await client.call_tool("any")
    assert (caught.value.exit_code, caught.value.stderr_tail) == (None, "")


# ---- P4: the server is silent


async def test_p4_a_silent_process_fails_the_opening_in_time_and_it_is_said_what_was_waited_for(tmp_path: Path) -> None:
    """P4: a probe that nobody answered, and then `initialize`."""
    log = tmp_path / "log"
    command = child_command(log, {"server/discover": [{"stderr": "starting up\n"}], "initialize": []})
    client = Client(command, connect_timeout=0.6, probe_timeout=0.1)
    with pytest.raises(Timeout) as caught:
        await client.connect()
    assert caught.value.phase == "connecting"
    assert str(caught.value) == (
        f"Cannot connect to server '{caught.value.server}': no answer to server/discover or initialize within 0.6 s. "
        "Last stderr: starting up"
    )
    assert isinstance(caught.value, TimeoutError)
    assert not is_running(child_pid(log))


async def test_a_server_that_only_prints_is_told_apart_from_one_that_says_nothing(tmp_path: Path) -> None:
    table = {"initialize": ["Listening on port 3000", "Ready."]}
    client = Client(child_command(tmp_path / "log", table), revision=REVISION, connect_timeout=0.6)
    with pytest.raises(
        Timeout, match=r"no answer to initialize \(it sent 2 lines that are no messages\) within 0\.6 s"
    ):
        await client.connect()


# ---- P2: one line, whatever goes wrong


@pytest.mark.parametrize("revision", ALL)
async def test_p2_an_error_of_the_server_carries_code_message_and_data(revision: str) -> None:
    table = {**usual(revision), "tools/call": [error(-32005, "Not today", {"until": "friday"})]}
    async with client_of(Wire(table), revision) as client:
        with pytest.raises(RemoteError) as caught:
            await client.call_tool("any")
    fault = caught.value
    assert (str(fault), fault.code, fault.data) == ("Not today", -32005, {"until": "friday"})
    assert (fault.server, fault.phase) == ("Wire", "tools/call")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (result({}), "the result does not fit CallToolResult: content: Field required"),
        ({"jsonrpc": "2.0", "id": "$id", "result": 3}, "the result of tools/call is not an object"),
        ({"jsonrpc": "2.0", "id": "$id", "result": {}, "error": {}}, "has both result and error"),
        ({"jsonrpc": "2.0", "id": "$id", "error": {"code": "x"}}, "an error needs an integer code and a message"),
    ],
)
async def test_an_answer_that_is_none_fails_its_call_alone(answer: Any, cause: str) -> None:
    async with client_of(Wire({**usual(REVISION), "tools/call odd": [answer]}), REVISION) as client:
        with pytest.raises(InvalidAnswer) as caught:
            await client.call_tool("odd")
        assert (caught.value.server, caught.value.phase) == ("Wire", "tools/call")
        assert str(caught.value) == f"tools/call odd on server 'Wire': {caught.value.cause}"
        assert caught.value.cause.endswith(cause)
        await client.call_tool("even")


async def test_a_refused_opening_names_the_request_and_the_servers_words(tmp_path: Path) -> None:
    table = {"initialize": [error(-32603, "licence expired")]}
    for peer in (Wire(table), child_command(tmp_path / "log", table)):
        with pytest.raises(ConnectFailed) as caught:
            await Client(peer, revision=REVISION).connect()
        assert str(caught.value) == (
            f"Cannot connect to server '{caught.value.server}': "
            "initialize: the server answered error -32603 'licence expired'"
        )
        assert (caught.value.phase, caught.value.__suppress_context__) == ("connecting", True)


async def test_what_cannot_be_json_is_refused_and_nothing_is_sent_nor_cancelled() -> None:
    wire = Wire(usual(REVISION))
    async with client_of(wire, REVISION) as client:
        with pytest.raises(ValueError, match="tools/call: the parameters cannot be JSON: a number is NaN or infinite"):
            await client.call_tool("any", {"x": float("nan")})
        await client.call_tool("any")
    methods = [message["method"] for message in wire.messages]
    assert methods == ["initialize", "notifications/initialized", "tools/call"]


async def test_a_function_that_cannot_connect_is_named_with_its_cause() -> None:
    async def dial() -> Wire:
        raise ConnectionRefusedError("connection refused")

    with pytest.raises(ConnectFailed) as caught:
        await Client(dial).connect()
    assert str(caught.value).endswith("dial': ConnectionRefusedError: connection refused")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


# ---- a server in this process


def failing(where: str, fault: BaseException) -> Server:
    """A server whose lifespan fails."""

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        if where == "start":
            raise fault
        yield
        if where == "end":
            raise fault

    server = Server("failing", lifespan=lifespan)

    @server.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    return server


@pytest.mark.parametrize("revision", [None, *ALL])
async def test_a_lifespan_that_fails_at_the_start_is_told_at_once(revision: str | None) -> None:
    entered = ValueError("no database")
    with pytest.raises(ConnectFailed) as caught:
        await Client(failing("start", entered), revision=revision).connect()
    assert str(caught.value) == "Cannot connect to server 'failing': it failed: ValueError: no database"
    assert caught.value.__cause__ is entered


async def test_what_cannot_be_started_again_is_not() -> None:
    """A probe that ends the server is tried once where the server is not the client's to start."""
    with pytest.raises(ConnectFailed) as caught:
        await Client(Wire({"server/discover": [{"exit": 0}]})).connect()
    assert str(caught.value) == "Cannot connect to server 'Wire': the counterpart hung up"
    entered: list[str] = []

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        entered.append("once")
        if entered:
            raise ValueError("no database")
        yield

    with pytest.raises(ConnectFailed, match="no database"):
        await Client(Server("failing", lifespan=lifespan)).connect()
    assert entered == ["once"]


async def test_p2_a_group_of_exceptions_is_told_as_its_one_exception() -> None:
    group = ExceptionGroup("unhandled errors in a TaskGroup", [ExceptionGroup("inner", [OSError("disk")])])
    with pytest.raises(ConnectFailed, match=r"it failed: OSError: disk$"):
        await Client(failing("start", group)).connect()


class Quit(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("fault", [Quit("enough"), SystemExit("enough"), BaseExceptionGroup("g", [Quit("enough")])])
async def test_p2_a_lifespan_that_tries_to_end_the_program_fails_its_own_client(fault: BaseException) -> None:
    with pytest.raises(ConnectFailed, match=r"it failed: (Quit|SystemExit): enough$"):
        await Client(failing("start", fault)).connect()
    with pytest.raises(ConversationError, match=r"Closing server 'failing': it failed: (Quit|SystemExit): enough$"):
        async with Client(failing("end", fault)) as client:
            assert (await client.call_tool("add", {"a": 1, "b": 2})).data == 3


async def test_a_lifespan_that_fails_at_the_end_comes_out_of_closing() -> None:
    left = ValueError("cannot flush")
    client = Client(failing("end", left))
    await client.connect()
    with pytest.raises(ConversationError) as caught:
        await client.aclose()
    assert str(caught.value) == "Closing server 'failing': it failed: ValueError: cannot flush"
    assert (caught.value.phase, caught.value.__cause__) == ("closing", left)
    await client.aclose()


async def test_a_failure_at_the_end_does_not_hide_the_exception_of_the_body() -> None:
    with pytest.raises(KeyError, match="mine") as caught:
        async with Client(failing("end", ValueError("cannot flush"))):
            raise KeyError("mine")
    assert caught.value.__notes__ == ["Closing server 'failing': it failed: ValueError: cannot flush"]


async def test_the_lifespan_is_left_before_closing_returns() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        seen.append("entered")
        yield
        await anyio.lowlevel.checkpoint()
        seen.append("left")

    client = Client(Server("living", lifespan=lifespan))
    await client.connect()
    assert seen == ["entered"]
    await client.aclose()
    assert seen == ["entered", "left"]


async def test_a_server_that_does_not_come_to_an_end_does_not_hold_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "CLOSE_SECONDS", 0.05)
    let_go = anyio.Event()

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        yield
        await let_go.wait()

    client = Client(Server("endless", lifespan=lifespan))
    await client.connect()
    with pytest.raises(ConversationError, match=r"Closing server 'endless': .* still busy after 0\.05 s"):
        await client.aclose()
    let_go.set()


@pytest.mark.parametrize(
    ("call", "subject"),
    [
        (lambda client: client.call_tool("book", {"seat": 7}), "tools/call book"),
        (lambda client: client.get_prompt("greet"), "prompts/get greet"),
        (lambda client: client.read_resource("file:///a"), "resources/read file:///a"),
        (lambda client: client.call_tool("two\nlines"), r"tools/call 'two\nlines'"),
        (lambda client: client.list_tools(), "tools/list"),
    ],
)
async def test_every_error_of_a_call_names_the_tool_the_prompt_or_the_resource(call: Any, subject: str) -> None:
    async def failed(answer: list[Any], **options: Any) -> BaseException:
        methods = ("tools/call", "tools/list", "prompts/get", "resources/read", "completion/complete")
        wire = Wire({**usual(REVISION), **dict.fromkeys(methods, answer)})
        async with client_of(wire, REVISION, **options) as client:
            with pytest.raises(ConversationError) as caught:
                await call(client)
        return caught.value

    ways: list[tuple[list[Any], dict[str, Any]]] = [
        ([], {"timeout": 0.01}),
        ([], {"total_timeout": 0.01}),
        ([{"exit": 1}], {}),
        ([result({"content": 7})], {}),
        (["{$id"], {"timeout": 0.01}),
    ]
    for answer, options in ways:
        assert str(await failed(answer, **options)).startswith(f"{subject} on server 'Wire': ")
    assert (await failed([error(-32603, "Oh no")])).__notes__ == [f"{subject} on server 'Wire'"]
