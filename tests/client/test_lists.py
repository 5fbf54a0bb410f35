"""Lists and results as servers of every revision give them: pages, cursors, hints, and errors that mean "not there"."""

from contextlib import nullcontext
from typing import Any

import pytest

from mcport import (
    Client,
    ConnectionLost,
    InvalidAnswer,
    NotApproved,
    OutputInvalid,
    ProposedCall,
    RemoteError,
    Timeout,
)
from mcport.spec.revisions import REVISIONS
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS, error, result, usual
from tests.client.playing import Wire, client_of, of

LISTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("each_tool", "tools/list", "tools", {"name": "$", "inputSchema": {"type": "object"}}),
    ("each_prompt", "prompts/list", "prompts", {"name": "$"}),
    ("each_resource", "resources/list", "resources", {"name": "$", "uri": "x://$"}),
    ("each_resource_template", "resources/templates/list", "resourceTemplates", {"name": "$", "uriTemplate": "x://$"}),
]
HARMLESS = {"readOnlyHint": True, "idempotentHint": True, "destructiveHint": False, "openWorldHint": False}
ODD = ' Aü"\\\n\u2028/%20=='


class Paged(Wire):
    """A server that gives one list in these pages, whose cursors are given with them."""

    def __init__(self, revision: str, method: str, pages: dict[str | None, dict[str, Any]]) -> None:
        super().__init__(usual(revision))
        self._method = method
        self._pages = pages

    async def send(self, message: bytes) -> None:
        import json

        said = json.loads(message)
        if said.get("method") == self._method:
            page = self._pages[said["params"].get("cursor")]
            self.counterpart.table[self._method] = [result({"resultType": "complete", **page})]
        await super().send(message)

    def cursors(self) -> list[str | None]:
        return [each["params"].get("cursor") for each in of(self.messages, self._method)]


def item(like: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value.replace("$", name) if isinstance(value, str) else value for key, value in like.items()}


@pytest.mark.requirement(
    "pagination.both-flows",
    "pagination.cursor-opaque",
    "pagination.missing-next-cursor-ends",
    "pagination.no-fixed-page-size",
    "pagination.supported-lists",
    reason="one walk shows the whole page of the specification",
)
@pytest.mark.requirement("pagination.empty-cursor-valid", revisions=STATELESS)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("call", "method", "member", "like"),
    [
        LISTS[0],
        pytest.param(*LISTS[1], marks=pytest.mark.requirement("prompts.client-pagination", reason="one of the lists")),
        *LISTS[2:],
    ],
)
async def test_pages_of_any_size_are_followed_by_their_cursors_as_they_came_until_there_is_none(
    revision: str, call: str, method: str, member: str, like: dict[str, Any]
) -> None:
    pages: dict[str | None, dict[str, Any]] = {
        None: {member: [item(like, "a"), item(like, "b"), item(like, "c")], "nextCursor": ODD},
        ODD: {member: [], "nextCursor": ""},
        "": {member: [item(like, "d")], "nextCursor": "last"},
        "last": {member: [item(like, "e")]},
    }
    wire = Paged(revision, method, pages)
    async with client_of(wire, revision) as client:
        assert [each.name async for each in getattr(client, call)()] == ["a", "b", "c", "d", "e"]
        assert wire.cursors() == [None, ODD, "", "last"]
        for cursor in (ODD, ""):
            await getattr(client, call.replace("each", "list") + "s")(cursor)
        assert wire.cursors()[4:] == [ODD, ""]

    single = Paged(revision, method, {None: {member: [item(like, "a")], "nextCursor": None}})
    async with client_of(single, revision) as client:
        assert [each.name async for each in getattr(client, call)()] == ["a"]
    assert single.cursors() == [None]


@pytest.mark.requirement("pagination.cursor-not-persisted", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", ALL)
async def test_a_walk_that_outlives_its_session_begins_anew_and_gives_nothing_twice(revision: str) -> None:
    _, method, member, like = LISTS[0]
    pages: dict[str | None, dict[str, Any]] = {
        None: {member: [item(like, "a")], "nextCursor": "two"},
        "two": {member: [item(like, "b")]},
    }
    wires = [Paged(revision, method, pages) for _ in range(2)]
    coming = iter(wires)

    async def dial() -> Wire:
        return next(coming)

    client = Client(dial, revision=revision)
    async with client:
        walk = client.each_tool()
        assert (await anext(walk)).name == "a"
    with pytest.raises(ConnectionLost):
        await anext(walk)
    async with client:
        assert [tool.name async for tool in walk] == ["b"]
    assert [wire.cursors() for wire in wires] == [[None], [None, "two"]]


@pytest.mark.requirement("tools.annotations-untrusted", revisions=ALL[:-1])
@pytest.mark.parametrize("revision", ALL)
async def test_what_a_server_claims_of_a_tool_changes_nothing_in_what_the_client_does(revision: str) -> None:
    _, method, member, like = LISTS[0]
    written: list[list[Any]] = []
    approved: list[str] = []

    def approve(call: ProposedCall) -> bool:
        approved.append(call.name)
        return True

    for hints in ({}, HARMLESS, {"destructiveHint": True, "openWorldHint": True}):
        wire = Paged(revision, method, {None: {member: [{**item(like, "a"), "annotations": hints}]}})
        async with client_of(wire, revision, approve=approve) as client:
            await client.list_tools()
            await client.call_tool("a", {"b": 1})
            written.append(wire.messages)
    assert written[0] == written[1] == written[2]
    assert approved == ["a", "a", "a"]


@pytest.mark.requirement("tools.annotations-untrusted", revisions=ALL[:-1])
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("hints", [{}, HARMLESS])
async def test_a_tool_that_claims_to_be_harmless_is_refused_and_checked_like_any_other(
    revision: str, hints: dict[str, bool]
) -> None:
    _, method, member, like = LISTS[0]
    tool = {**item(like, "a"), "annotations": hints, "outputSchema": {"type": "object"}}
    wire = Paged(revision, method, {None: {member: [tool]}})
    async with client_of(wire, revision, approve=lambda call: False) as client:
        await client.list_tools()
        with pytest.raises(NotApproved):
            await client.call_tool("a")
    assert of(wire.messages, "tools/call") == []
    judged = pytest.raises(OutputInvalid) if REVISIONS[revision].has_structured_output else nullcontext()
    async with client_of(Paged(revision, method, {None: {member: [tool]}}), revision) as client:
        await client.list_tools()
        with judged:
            await client.call_tool("a")


@pytest.mark.requirement("tools.client-timeouts")
@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_never_answers_is_given_up(revision: str) -> None:
    wire = Wire({**usual(revision), "tools/call": []})
    async with client_of(wire, revision, timeout=0.01) as client:
        with pytest.raises(Timeout, match="tools/call"):
            await client.call_tool("a")


@pytest.mark.requirement("resources.not-found.accept-32002", revisions=STATELESS)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("code", "data", "not_found"),
    [
        (-32002, None, True),
        (-32002, {"uri": "x://a"}, True),
        (-32602, {"uri": "x://a"}, True),
        (-32602, None, False),
        (-32603, {"uri": "x://a"}, False),
    ],
)
async def test_a_resource_that_is_not_there_is_known_by_the_code_of_any_revision(
    revision: str, code: int, data: Any, not_found: bool
) -> None:
    wire = Wire({**usual(revision), "resources/read": [error(code, "No such resource", data)]})
    async with client_of(wire, revision) as client:
        with pytest.raises(RemoteError) as caught:
            await client.read_resource("x://a")
    assert caught.value.resource_not_found is not_found


@pytest.mark.requirement("content.annotation-audience")
@pytest.mark.parametrize("revision", ALL)
async def test_an_audience_is_users_and_assistants_and_nobody_else(revision: str) -> None:
    _, method, member, like = LISTS[2]

    def wire(*audience: str) -> Wire:
        listed = {**item(like, "a"), "annotations": {"audience": list(audience)}}
        return Paged(revision, method, {None: {member: [listed]}})

    async with client_of(wire("user", "assistant"), revision) as client:
        [found] = (await client.list_resources()).resources
        assert found.annotations is not None
        assert found.annotations.audience == ["user", "assistant"]
    async with client_of(wire("user", "robot"), revision) as client:
        with pytest.raises(InvalidAnswer, match="audience"):
            await client.list_resources()
