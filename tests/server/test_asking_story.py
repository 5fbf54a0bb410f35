"""One server that asks and one host that answers, over every revision and every way in which they can meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcport import Client, RemoteError
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import Root
from tests.server import asking_story
from tests.server.wire import ALL, NEW

pytestmark = pytest.mark.anyio

WAYS = ["memory", "stdio"]
ROOTS = [Root(uri="file:///srv/work", name="work")]


async def fill_in(form: Any) -> dict[str, object]:
    fields = form.requested_schema.properties
    if "city" in fields:
        return {"city": "Lyon"}
    return {"value": "Ada"} if fields else {}


@asynccontextmanager
async def met(way: str, revision: str, **answers: Any) -> AsyncIterator[Client]:
    target: Any = asking_story.server if way == "memory" else Path(asking_story.__file__)
    async with Client(target, revision=revision, **answers) as client:
        yield client


def text(result: Any) -> str:
    return str(result.content[0].text)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("way", WAYS)
async def test_p20_one_tool_body_asks_in_every_revision_and_has_one_effect(way: str, revision: str) -> None:
    asking_story.reserved.clear()
    answers: Any = {"elicit": fill_in, "sample": lambda question: "Farewell!", "roots": ROOTS}
    async with met(way, revision, **answers) as client:
        said = text(await client.call_tool("plan", {"guest": "Ada"}))
        home = text(await client.call_tool("tell_home"))
    if REVISIONS[revision].elicits:
        assert said == "Ada, Lyon, accept, seat 1: Farewell!"
    else:
        assert said == "cannot ask"
    assert home == "work: True False"


@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].elicits])
@pytest.mark.parametrize("way", WAYS)
async def test_p20_prompts_and_resources_ask_the_same(way: str, revision: str) -> None:
    async with met(way, revision, elicit=fill_in) as client:
        prompt = await client.get_prompt("letter")
        assert prompt.messages[0].content.text == "Write to Ada"  # type: ignore[union-attr]
        memo: Any = await client.read_resource("memo://bob")
        assert memo.contents[0].text == "bob: Ada"


@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].elicits])
@pytest.mark.parametrize("way", WAYS)
async def test_a_host_that_says_no_is_heard(way: str, revision: str) -> None:
    for answer in ("decline", "cancel"):
        async with met(way, revision, elicit=lambda form, answer=answer: answer) as client:
            assert text(await client.call_tool("plan", {"guest": "Ada"})) == f"no trip: {answer}"


@pytest.mark.parametrize("revision", ALL)
async def test_a_host_without_callbacks_is_never_asked(revision: str) -> None:
    async with met("memory", revision) as client:
        assert text(await client.call_tool("plan", {"guest": "Ada"})) == "cannot ask"
        if revision in NEW:
            with pytest.raises(RemoteError, match="roots"):
                await client.call_tool("tell_home")
        else:
            assert "roots" in text(await client.call_tool("tell_home"))
