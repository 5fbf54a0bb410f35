"""Roots of a client: what is one, how it is said, and who is told when it changes."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mcport import Client
from mcport.client.answering.roots import checked_uri, said_roots, uri_of
from mcport.spec.types import Root
from tests.client.counterpart import HANDSHAKE, usual
from tests.client.playing import Wire, client_of, of
from tests.client.questions import answer_of, asked
from tests.client.scripted import DONE, REVISION, ROOTS, Scripted, asks, params_of

CHANGED = "notifications/roots/list_changed"


def uris(*roots: Any) -> list[str]:
    return [root["uri"] for root in said_roots(roots)]


@pytest.mark.requirement("roots.file-uri", revisions=[*HANDSHAKE, REVISION])
@pytest.mark.requirement("roots.validate-uris", revisions=[*HANDSHAKE, REVISION])
@pytest.mark.parametrize(
    "wrong",
    [
        "https://example.com/x",
        "file:/x",
        "file://",
        "file://host",
        "file:///a/../b",
        "file:///a/%2e%2e/b",
        "file:///a/%2E./b",
        "file:///a%2Fb",
        "file:///a%5Cb",
        "file:///a%00",
        "file:///a?b=c",
        "file:///a#b",
        "file:///a b",
        "",
        "a\0b",
        Root(uri="http://x/"),
        Root(uri="file:///a/../b"),
    ],
)
def test_what_leads_elsewhere_is_no_root(wrong: Any) -> None:
    with pytest.raises(ValueError, match="root"):
        Client("server.py", roots=[wrong])


@pytest.mark.parametrize("wrong", [7, None, b"/x", object()])
def test_what_is_no_path_is_no_root(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a root is a path"):
        said_roots([wrong])


@pytest.mark.parametrize("wrong", ["/work", Path("/work")])
def test_roots_are_a_list(wrong: Any) -> None:
    with pytest.raises(TypeError, match="roots is a list of paths"):
        Client("server.py", roots=wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_paths_become_uris_that_say_them_exactly(tmp_path: Path) -> None:
    assert uris("/work", Path("/a b/c%d/\u00e9?#"), "/a/../b/.", "/") == [
        "file:///work",
        "file:///a%20b/c%25d/%C3%A9%3F%23",
        "file:///b",
        "file:///",
    ]
    assert uris("here") == [Path(os.getcwd(), "here").as_uri()]
    assert uri_of(tmp_path) == tmp_path.as_uri()


def test_uris_and_roots_with_names_go_out_as_they_are() -> None:
    assert uris("file:///c:/Users/x", "file://server/share/x", "FILE:///x", "file:///a%20b") == [
        "file:///c:/Users/x",
        "file://server/share/x",
        "file:///x",
        "file:///a%20b",
    ]
    assert checked_uri("file:///") == "file:///"
    assert said_roots([Root(uri="file:///x", name="Work")]) == [{"uri": "file:///x", "name": "Work"}]
    named = Root(uri="file:///x", meta={"example.com/a": 1})
    assert said_roots([named], "2025-03-26") == [{"uri": "file:///x"}]


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_server_is_told_the_roots_by_list_or_by_callback(revision: str) -> None:
    async def later() -> list[str]:
        return ["file:///b"]

    answers: list[tuple[Any, str]] = [(["file:///a"], "a"), (lambda: ["file:///c"], "c"), (later, "b")]
    for roots, name in answers:
        answer = await answer_of(revision, "roots/list", None, roots=roots)
        assert answer["result"] == {"roots": [{"uri": f"file:///{name}"}]}
    assert (await answer_of(revision, "roots/list", {}, roots=[]))["result"] == {"roots": []}


@pytest.mark.requirement("roots.client-errors", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_callback_that_gives_no_roots_is_an_internal_error(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_of(revision, "roots/list", None, roots=lambda: ["http://x/"])
    assert answer["error"] == {"code": -32603, "message": "the client could not answer"}
    assert "a root is a path or a file:// URI; got 'http://x/'" in caplog.text


@pytest.mark.requirement("roots.list-changed-sent", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_other_roots_are_announced_and_then_listed(revision: str) -> None:
    wire = Wire(usual(revision))
    client = client_of(wire, revision, roots=[])
    client.set_roots(["file:///before"])
    async with client:
        assert of(wire.messages, CHANGED) == []
        assert (await asked(wire, "roots/list", None, 1))["result"]["roots"] == [{"uri": "file:///before"}]
        client.set_roots(["file:///x", "file:///y"])
        await wire.wrote(CHANGED)
        assert len((await asked(wire, "roots/list", None, 2))["result"]["roots"]) == 2
        with pytest.raises(ValueError, match="a root is a path"):
            client.set_roots(["http://x/"])
        assert len((await asked(wire, "roots/list", None, 3))["result"]["roots"]) == 2
    client.set_roots([])
    assert len(of(wire.messages, CHANGED)) == 1


async def test_only_a_client_that_was_made_with_a_list_may_change_it() -> None:
    for roots in (None, list):
        with pytest.raises(RuntimeError, match=r"set_roots is for a client that was made with roots=\[...\]"):
            Client("server.py", roots=roots).set_roots([])


@pytest.mark.requirement("roots.capability-declared", revisions=[REVISION])
async def test_a_stateless_server_hears_of_other_roots_when_it_asks_and_not_before() -> None:
    wire = Scripted(asks({"q": ROOTS}), asks({"q": ROOTS}), DONE)
    async with client_of(wire, REVISION, roots=["file:///a"]) as client:
        client.set_roots(["file:///b"])
        await client.call_tool("any")
    assert of(wire.messages, CHANGED) == []
    assert params_of(wire.calls[1])["inputResponses"] == {"q": {"roots": [{"uri": "file:///b"}]}}
    assert wire.calls[0]["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] == {"roots": {}}
