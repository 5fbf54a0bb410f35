"""`@modelcontextprotocol/server-everything` and a host that offers all it can: what only such a host gets to see.

Its other tools are in `test_everything_server`; here it asks for forms, visits, models and roots, logs, and tells of
changes.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from mcport import Client, VisitRequired
from mcport.client.listening.changes import ResourcesChanged, ResourceUpdated
from mcport.spec.types import LoggingMessageNotificationParams
from tests.peers.test_everything_server import text_of

WATCHED = "demo://resource/dynamic/text/1"
HELLO = "data:text/plain;base64,aGVsbG8="


class Person:
    """Who sits at the host: keeps what was asked and logged, and answers each kind of question in one way."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.logged: list[LoggingMessageNotificationParams] = []
        self.form: Any = "decline"
        self._news = anyio.Event()

    async def fill_in(self, question: Any) -> Any:
        self.asked.append(question)
        return self.form

    def visit(self, question: Any) -> bool:
        self.asked.append(question)
        return True

    def think(self, question: Any) -> str:
        self.asked.append(question)
        return "Forty-two."

    def log(self, message: LoggingMessageNotificationParams) -> None:
        self.logged.append(message)
        self._news.set()
        self._news = anyio.Event()

    async def heard(self, text: str) -> LoggingMessageNotificationParams:
        """Wait for a log message."""
        with anyio.fail_after(10):
            while not (found := [each for each in self.logged if text in str(each.data)]):
                await self._news.wait()
            return found[-1]


@pytest.fixture(scope="module")
def person() -> Person:
    return Person()


@pytest.fixture(scope="module")
async def client(everything: list[str], person: Person) -> AsyncIterator[Client]:
    """One conversation with everything declared, shared by the tests of this file."""
    async with Client(
        everything,
        elicit=person.fill_in,
        elicit_url=person.visit,
        sample=person.think,
        roots=["/tmp"],
        log=person.log,
    ) as opened:
        await person.heard("Roots updated")  # it asks for them by itself, some time after the opening
        yield opened


async def test_what_a_host_declares_brings_tools_and_what_it_does_not_brings_none(client: Client) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    asking = {"get-roots-list", "trigger-elicitation-request", "trigger-url-elicitation", "trigger-sampling-request"}
    assert names >= asking
    assert names.isdisjoint({"trigger-elicitation-request-async", "trigger-sampling-request-async"})  # they want tasks


async def test_a_form_of_every_kind_of_field_is_filled_in(client: Client, person: Person) -> None:
    person.form = {
        "name": "Ada",
        "email": "ada@example.org",
        "homepage": "https://example.org/",
        "birthdate": "1815-12-10",
        "integer": 7,
        "untitledMultipleSelectEnum": ["Bass"],
        "titledMultipleSelectEnum": ["fish-2", "fish-3"],
        "legacyTitledEnum": "pet-2",
    }
    result = await client.call_tool("trigger-elicitation-request", {})
    fields = person.asked[-1].requested_schema.to_wire()["properties"]
    assert len(fields) == 13
    assert fields["titledMultipleSelectEnum"]["items"]["anyOf"][0] == {"const": "fish-1", "title": "Tuna"}
    raw = getattr(result.content[-1], "text", "").partition("Raw result: ")[2]
    assert json.loads(raw) == {"action": "accept", "content": person.form}


@pytest.mark.parametrize("answer", ["decline", "cancel"])
async def test_a_form_may_be_refused(client: Client, person: Person, answer: str) -> None:
    person.form = answer
    assert f"User {answer.rstrip('l')}" in text_of(await client.call_tool("trigger-elicitation-request", {}))


async def test_a_form_that_is_filled_in_wrongly_never_leaves(
    client: Client, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    person.form = {"email": "ada@example.org"}  # the name is required
    result = await client.call_tool("trigger-elicitation-request", {})
    assert result.is_error
    assert text_of(result) == "MCP error -32603: the client could not answer"
    assert "field 'name' is missing" in caplog.text


async def test_the_user_is_sent_to_a_page(client: Client, person: Person) -> None:
    result = await client.call_tool("trigger-url-elicitation", {"url": "https://example.org/a", "elicitationId": "e1"})
    assert text_of(result).startswith("✅ User completed the URL elicitation flow.")
    assert (person.asked[-1].url, person.asked[-1].elicitation_id) == ("https://example.org/a", "e1")


async def test_a_page_that_has_to_be_visited_first_is_shown_and_the_call_can_be_made_again(
    client: Client, person: Person
) -> None:
    wanted = {"url": "https://example.org/b", "errorPath": True}
    with pytest.raises(VisitRequired) as caught:  # this server never says that the visit is complete
        await client.call_tool("trigger-url-elicitation", wanted, timeout=0.2)
    assert caught.value.code == -32042
    assert person.asked[-1].url == caught.value.elicitations[0]["url"] == "https://modelcontextprotocol.io"
    assert not (await client.call_tool("trigger-url-elicitation", wanted)).is_error


async def test_the_hosts_model_is_asked(client: Client, person: Person) -> None:
    result = await client.call_tool("trigger-sampling-request", {"prompt": "hi", "maxTokens": 10})
    assert "Forty-two." in text_of(result)
    question = person.asked[-1]
    assert (question.max_tokens, question.temperature) == (10, 0.7)
    assert question.system_prompt == "You are a helpful test server."


async def test_roots_are_told_again_when_they_change(client: Client, person: Person) -> None:
    assert "file:///tmp" in text_of(await client.call_tool("get-roots-list", {}))
    client.set_roots(["/tmp", "/var"])
    await person.heard("Roots updated: 2")
    assert "file:///var" in text_of(await client.call_tool("get-roots-list", {}))


async def test_its_log_is_heard(client: Client, person: Person) -> None:
    await client.set_log_level("debug")
    person.logged.clear()
    await client.call_tool("toggle-simulated-logging", {})
    message = await person.heard("-level")
    assert str(message.data).lower().startswith(message.level)
    await client.call_tool("toggle-simulated-logging", {})


async def test_changes_of_resources_are_heard(client: Client) -> None:
    async with client.listen(resources=True, uris=[WATCHED]) as changes:
        with anyio.fail_after(10):
            await client.call_tool("toggle-subscriber-updates", {})
            assert await anext(changes) == ResourceUpdated(WATCHED)
            await client.call_tool("toggle-subscriber-updates", {})
            zipped = {"name": "hello.gz", "data": HELLO, "outputType": "resource"}
            block = (await client.call_tool("gzip-file-as-resource", zipped)).content[0]
            assert await anext(changes) == ResourcesChanged()
    blob = getattr(getattr(block, "resource", None), "blob", "")
    assert gzip.decompress(base64.b64decode(blob)) == b"hello"
    kept = (await client.read_resource("demo://resource/session/hello.gz")).contents[0]
    assert getattr(kept, "blob", None) == blob


async def test_every_resource_in_its_list_can_be_read(client: Client) -> None:
    resources = [resource async for resource in client.each_resource()]
    assert len(resources) >= 7
    for resource in resources:
        (contents,) = (await client.read_resource(resource.uri)).contents
        assert contents.uri == resource.uri


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("simple-prompt", {}, "This is a simple prompt without arguments."),
        ("args-prompt", {"city": "Lyon", "state": "RA"}, "What's weather in Lyon, RA?"),
        (
            "completable-prompt",
            {"department": "Sales", "name": "Eve"},
            "Please promote Eve to the head of the Sales team.",
        ),
        ("resource-prompt", {"resourceType": "Text", "resourceId": "3"}, "This prompt includes the Text resource"),
    ],
)
async def test_every_prompt_is_got(client: Client, name: str, arguments: dict[str, str], text: str) -> None:
    messages = (await client.get_prompt(name, arguments)).messages
    assert getattr(messages[0].content, "text", "").startswith(text)


async def test_an_argument_is_completed_in_the_light_of_another(client: Client) -> None:
    found = await client.complete(
        prompt="completable-prompt", argument="name", value="E", context={"department": "Sales"}
    )
    assert found.completion.values == ["Eve"]


async def test_a_tool_that_wants_a_task_says_so(client: Client) -> None:
    refused = await client.call_tool("simulate-research-query", {"topic": "python"})
    assert refused.is_error
    assert "task" in text_of(refused)


async def test_its_environment_is_bare(client: Client) -> None:
    environment = json.loads(text_of(await client.call_tool("get-env", {})))
    assert {*environment} <= {"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"}
