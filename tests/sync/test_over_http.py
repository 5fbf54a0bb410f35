"""The blocking client and a server at a URL: the same calls, answers and errors as over stdio, in both eras."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mcport import ConnectFailed, ConnectionLost, Context, RemoteError, ToolFailed, ToolsChanged, sync
from mcport.spec.types import ElicitRequestFormParams
from tests.faults.serving import Site, served
from tests.sync.desk import Desk
from tests.transports.children import PATIENCE

ERAS = ["2026-07-28", "2025-11-25", "2025-03-26"]


@pytest.fixture(scope="module")
def hosted() -> Iterator[tuple[Desk, Site]]:
    desk = Desk()

    @desk.server.tool
    async def book(ctx: Context) -> str:
        """Ask where."""
        answer = await ctx.elicit("Where to?", str)
        return f"booked {answer.data}" if answer.action == "accept" else answer.action

    @desk.server.tool
    async def break_down() -> str:
        """Fail."""
        raise OSError("secret")

    @desk.server.complete(prompt="greet", argument="name")
    async def names(value: str) -> list[str]:
        return [each for each in ("Ada", "Alan", "Bob") if each.startswith(value)]

    with served(desk.server) as site:
        yield desk, site


@pytest.fixture
def url(hosted: tuple[Desk, Site]) -> str:
    return f"http://127.0.0.1:{hosted[1].port}/mcp"


@pytest.mark.parametrize("revision", ERAS)
def test_every_kind_of_call_is_answered(url: str, revision: str) -> None:
    reports: list[Any] = []
    with sync.Client(url, revision=revision) as client:
        assert client.revision == revision
        assert [tool.name for tool in client.each_tool()] == [tool.name for tool in client.list_tools().tools]
        assert client.call_tool("add", {"a": 1, "b": 2}).text() == "3"
        assert client.call_tool("count", progress=lambda *report: reports.append(report)).text() == "counted"
        assert client.read_resource("note://a").contents[0].text == "about a"  # type: ignore[union-attr]
        assert client.get_prompt("greet", {"name": "Ada"}).messages[0].content.text == "Hello Ada"  # type: ignore[union-attr]
        assert client.complete(prompt="greet", argument="name", value="A").completion.values == ["Ada", "Alan"]
        assert client.start_tool("add", {"a": 2, "b": 2}).result(PATIENCE).text() == "4"
    assert reports == [(0, 3, None), (1, 3, None), (2, 3, None)]


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_questions_reach_a_callback_that_may_block_and_call_the_client(url: str, revision: str) -> None:
    def fill_in(question: ElicitRequestFormParams) -> dict[str, Any]:
        assert question.message == "Where to?"
        [name] = question.requested_schema.properties
        return {name: client.call_tool("add", {"a": 1, "b": 1}).text()}

    with sync.Client(url, revision=revision, elicit=fill_in) as client:
        assert client.call_tool("book").text() == "booked 2"


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_changes_are_heard_in_a_plain_loop(hosted: tuple[Desk, Site], url: str, revision: str) -> None:
    desk, _ = hosted
    with sync.Client(url, revision=revision) as client, client.listen(tools=True) as changes:
        desk.server.notify_tools_changed()
        assert next(changes) == ToolsChanged()


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_errors_name_the_request_and_the_url(hosted: tuple[Desk, Site], url: str, revision: str) -> None:
    desk, _ = hosted
    client, caught = sync.Client(url, revision=revision), []

    def wait() -> None:
        try:
            client.call_tool("wait")
        except ConnectionLost as error:
            caught.append(str(error))

    with client:
        with pytest.raises(RemoteError, match=r"Unknown tool 'ad' on server 'desk'\. Did you mean 'add'\?"):
            client.call_tool("ad")
        with pytest.raises(ToolFailed) as failed:
            client.call_tool("break_down", as_=str)
        assert "secret" not in str(failed.value)
        desk.waiting.clear()
        thread = threading.Thread(target=wait)
        thread.start()
        assert desk.waiting.wait(PATIENCE)
    thread.join(PATIENCE)
    assert caught == [f"tools/call wait on server '{url}': connection lost, closed here"]
    with pytest.raises(ConnectionLost, match=f"tools/call add on server '{url}': connection lost, this client was"):
        client.call_tool("add", {"a": 1, "b": 2})


def test_p24_a_dead_url_and_a_wrong_path_are_one_line(hosted: tuple[Desk, Site]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/mcp"
        with pytest.raises(ConnectFailed) as caught:
            sync.Client(url).connect()
    assert str(caught.value) == f"Cannot reach {url}: connection refused. Is the server running?"
    url = f"http://127.0.0.1:{hosted[1].port}/wrong"
    with pytest.raises(ConnectFailed) as caught:
        sync.Client(url).connect()
    assert str(caught.value) == f"{url} answered 404: no MCP endpoint there (the default path is /mcp)"
