"""Asking, with both sides real: one tool body and one set of callbacks in every revision, over memory and stdio."""

from collections.abc import Callable
from typing import Any

import pytest

from mcport import Client, InputRequired, QuestionFailed, Rejected
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import (
    CallToolResult,
    CreateMessageRequestParams,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    LoggingMessageNotificationParams,
)
from tests.client import asking_server
from tests.client.counterpart import ALL, HANDSHAKE

STATELESS = "2026-07-28"
ELICITING = [name for name in ALL if REVISIONS[name].elicits]
PAGES = [name for name in ALL if REVISIONS[name].elicits_url]

TARGETS: dict[str, Callable[[], Any]] = {
    "memory": lambda: asking_server.server,
    "stdio": lambda: asking_server.__file__,
}


def client_of(way: str, revision: str, **options: Any) -> Client:
    return Client(TARGETS[way](), revision=revision, **options)


def said(result: CallToolResult | InputRequired) -> str:
    assert isinstance(result, CallToolResult), result
    return "".join(block.text for block in result.content)  # type: ignore[union-attr]


async def fill_in(question: ElicitRequestFormParams) -> dict[str, object]:
    """Answer every form of the server."""
    answers: dict[str, object] = {"city": "Lyon", "nights": 2}
    fields = question.requested_schema.properties
    return {name: answers.get(name, "Ada" if field.type == "string" else True) for name, field in fields.items()}


async def model(question: CreateMessageRequestParams) -> str:
    block: Any = question.messages[0].content
    return f"{block.text}!"


@pytest.mark.parametrize("way", TARGETS)
@pytest.mark.parametrize("revision", ALL)
async def test_p20_tools_prompts_and_resources_ask_users_models_and_roots_alike(revision: str, way: str) -> None:
    heard: list[LoggingMessageNotificationParams] = []
    callbacks: dict[str, Any] = {"elicit": fill_in, "sample": model, "roots": ["file:///work"], "log": heard.append}
    async with client_of(way, revision, **callbacks) as client:
        if revision in ELICITING:
            assert said(await client.call_tool("book")) == "booked Lyon: True"
            letter = await client.get_prompt("letter")
            assert letter.messages[0].content.text == "Dear Ada"  # type: ignore[union-attr]
            diary = await client.read_resource("diary://today")
            assert diary.contents[0].text == "secret"  # type: ignore[union-attr]
        assert said(await client.call_tool("think", {"topic": "tea"})) == "Think about tea! by unknown"
        assert "file:///work" in said(await client.call_tool("where"))
        client.set_roots(["file:///a%20b"])
        assert "file:///a%20b" in said(await client.call_tool("where"))
        await client.set_log_level("error")
        await client.call_tool("mutter")
    assert [each.data for each in heard if each.logger == "mutter"] == [{"said": "error"}]


@pytest.mark.parametrize("revision", PAGES)
async def test_a_page_is_asked_for_until_the_server_finds_that_it_was_visited(revision: str) -> None:
    seen: list[str] = []

    def visit(page: ElicitRequestURLParams) -> bool:
        seen.append(page.url)
        return True

    async with client_of("memory", revision, elicit_url=visit) as client:
        assert said(await client.call_tool("pay", {"bill": f"{revision}-{id(seen)}"})) == "accept"
    assert len(set(seen)) == 1


@pytest.mark.parametrize("revision", ALL)
async def test_a_user_who_says_no_is_heard(revision: str) -> None:
    def no(question: Any) -> Any:
        raise Rejected

    async with client_of("memory", revision, elicit=no, sample=no) as client:
        if revision in ELICITING:
            assert said(await client.call_tool("book")) == "decline"
        if revision in HANDSHAKE:
            result = await client.call_tool("think", {"topic": "tea"})
            assert result.is_error
        else:
            with pytest.raises(QuestionFailed, match="the user said no"):
                await client.call_tool("think", {"topic": "tea"})


@pytest.mark.parametrize("revision", ALL)
async def test_the_log_of_a_call_is_heard_from_the_level_that_was_asked_for(revision: str) -> None:
    heard: list[LoggingMessageNotificationParams] = []
    async with client_of("memory", revision, log=heard.append) as client:
        await client.set_log_level("error")
        await client.call_tool("mutter")
        assert [each.data for each in heard] == [{"said": "error"}]
        await client.set_log_level("debug")
        await client.call_tool("mutter")
    assert [each.level for each in heard] == ["error", "debug", "info", "error"]
    assert {each.logger for each in heard} == {"mutter"}


async def test_questions_are_answered_by_another_client_over_another_connection() -> None:
    async with client_of("memory", STATELESS, elicit=fill_in) as client:
        pending = await client.call_tool("book", rounds=0)
    assert isinstance(pending, InputRequired)
    stored = pending.to_json()
    async with client_of("memory", STATELESS, elicit=fill_in) as client:
        again = InputRequired.from_json(stored)
        [key] = again.questions
        result = await client.resume(again, {key: {"city": "Rome"}})
    assert isinstance(result, CallToolResult)
    assert said(result) == "booked Rome: True"
