"""Mistakes are answered in one plain line, and this is the line (P24)."""

import sys
from pathlib import Path
from typing import Any

import pytest

from mcport import Client, ConnectFailed, RemoteError, Server
from mcport.spec.revisions import REVISIONS
from tests.client.counterpart import ALL
from tests.transports.children import SOURCES

DEMO = '''
import sys
sys.path.insert(0, {sources!r})
from mcport import Server

print("while it is loaded")
server = Server("Demo")

@server.tool
async def add(a: int, b: int) -> int:
    """Add."""
    print("while it adds")
    return a + b

if __name__ == "__main__":
    server.run()
    print("when it is over")
'''


def demo() -> Server:
    server = Server("Demo")

    @server.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    return server


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "demo.py"
    path.write_text(DEMO.format(sources=str(SOURCES)))
    return path


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("add", {"a": "x", "b": 1}, "add: argument 'a' must be an integer, got 'x'"),
    ("add", {"a": 1}, "add: argument 'b' is missing"),
    ("add", {"a": 1, "b": 2, "c": 3}, "add: unknown argument 'c' (it takes a, b)"),
]


async def check_mistakes(client: Client, revision: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await client.call_tool("ad", {"a": 1, "b": 2})
    assert str(caught.value) == "Unknown tool 'ad' on server 'Demo'. Did you mean 'add'?"
    assert caught.value.code == -32602
    for tool, arguments, line in MISTAKES:
        assert await what_is_read(client, revision, tool, arguments) == line


async def what_is_read(client: Client, revision: str, tool: str, arguments: dict[str, Any]) -> str:
    """What a caller reads of bad arguments: a result for the model, or an error in the older revisions."""
    if REVISIONS[revision].tool_argument_errors_are_results:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        [block] = result.content
        return block.text  # type: ignore[union-attr]
    with pytest.raises(RemoteError) as caught:
        await client.call_tool(tool, arguments)
    assert caught.value.code == -32602
    return str(caught.value)


@pytest.mark.parametrize("revision", ALL)
async def test_p24_a_mistake_in_a_call_is_one_line_in_the_same_process(revision: str) -> None:
    async with Client(demo(), revision=revision) as client:
        await check_mistakes(client, revision)


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-06-18"])
async def test_p24_a_mistake_in_a_call_is_one_line_over_stdio_and_prints_go_to_stderr(
    script: Path, revision: str
) -> None:
    printed: list[str] = []
    wire: list[bytes] = []
    client = Client(script, revision=revision, stderr=printed.append, trace=lambda way, data: wire.append(data))
    async with client:
        await check_mistakes(client, revision)
        assert (await client.call_tool("add", {"a": 1, "b": 2})).content[0].text == "3"  # type: ignore[union-attr]
    assert "while it adds" in printed
    assert not any(b"while" in message or b"when" in message for message in wire)


async def test_p24_a_server_that_dies_at_its_start_is_told_with_code_and_last_words(tmp_path: Path) -> None:
    client = Client("nope.py", cwd=tmp_path)
    with pytest.raises(ConnectFailed) as caught:
        await client.connect()
    said = f"{sys.executable}: can't open file '{tmp_path}/nope.py': [Errno 2] No such file or directory"
    assert str(caught.value) == f"Server 'python nope.py' exited with code 2 before it answered. Last stderr: {said}"
    assert (caught.value.server, caught.value.phase) == ("python nope.py", "connecting")


async def test_p24_a_server_with_a_bug_is_told_with_the_last_line_of_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "bug.py").write_text("import no_such_module_anywhere\n")
    with pytest.raises(ConnectFailed) as caught:
        await Client("bug.py", cwd=tmp_path).connect()
    assert str(caught.value) == (
        "Server 'python bug.py' exited with code 1 before it answered. "
        "Last stderr: ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    )
    [note] = caught.value.__notes__
    assert note.startswith("The end of the server's stderr:\nTraceback (most recent call last):")


async def test_p24_a_command_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(ConnectFailed) as caught:
        await Client(["no-such-command"]).connect()
    assert str(caught.value) == "Cannot start server 'no-such-command': not found on PATH"
    assert (caught.value.server, caught.value.cause) == ("no-such-command", "not found on PATH")


async def test_p24_a_directory_that_is_not_there_is_told_by_the_name_that_the_user_knows(tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed) as caught:
        await Client("x.py", cwd=tmp_path / "no").connect()
    line = f"Cannot start server 'python x.py': the working directory '{tmp_path}/no' does not exist"
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("theirs", "ours", "line"),
    [
        (
            ["2025-06-18"],
            "2025-11-25",
            "Cannot connect to server 'Demo': initialize: the server speaks 2025-06-18; "
            "this client is to speak only 2025-11-25",
        ),
        (
            ["2026-07-28"],
            "2025-11-25",
            "Cannot connect to server 'Demo': initialize: the server answered error -32600 "
            "'initialize is not part of the protocol versions served here: 2026-07-28'",
        ),
    ],
)
async def test_p24_no_revision_in_common_names_both_sides(theirs: list[str], ours: str, line: str) -> None:
    with pytest.raises(ConnectFailed) as caught:
        await Client(Server("Demo", revisions=theirs), revision=ours).connect()
    assert str(caught.value) == line
