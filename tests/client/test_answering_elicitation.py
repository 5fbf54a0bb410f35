"""Forms and web pages that a server has a user fill in or open, in every revision."""

import logging
import socket
from typing import Any

import pytest

from mcport import Asker, InvalidAnswer, Rejected, fill_defaults
from mcport.spec.types import (
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
)
from tests.client.playing import client_of
from tests.client.questions import (
    ELICITS,
    FORM,
    LATEST,
    PAGE,
    STATELESS,
    URLS,
    ada,
    answer_of,
    form,
    saying,
    yes,
)
from tests.client.scripted import DONE, Scripted, asks


def page_in(revision: str) -> dict[str, Any]:
    """A page, with an id where the revision has one."""
    return {name: value for name, value in PAGE.items() if revision == LATEST or name != "elicitationId"}


ODD = ElicitResult.model_construct(action="perhaps")  # type: ignore[arg-type]


# ---- elicitation by forms


@pytest.mark.requirement("elicitation.content-only-on-accept", revisions=URLS)
@pytest.mark.parametrize("revision", ELICITS)
async def test_a_form_is_handed_to_the_callback_and_its_content_to_the_server(revision: str) -> None:
    seen: list[ElicitRequestFormParams] = []

    def plain(question: ElicitRequestFormParams) -> ElicitResult:
        seen.append(question)
        return ElicitResult(action="accept", content={"name": "Ada"})

    for callback in (ada, plain):
        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
        assert answer["result"] == {"action": "accept", "content": {"name": "Ada"}}
    assert seen[0].message == "Who are you?"
    assert list(seen[0].requested_schema.properties) == ["name"]


@pytest.mark.requirement("elicitation.mode-default-form", revisions=URLS)
@pytest.mark.requirement("elicitation.mode-omitted-form", revisions=URLS)
@pytest.mark.parametrize("revision", URLS)
async def test_an_elicitation_without_a_mode_is_a_form(revision: str) -> None:
    for params in (form(), form(mode="form")):
        answer = await answer_of(revision, "elicitation/create", params, elicit=ada, elicit_url=yes)
        assert answer["result"]["content"] == {"name": "Ada"}


@pytest.mark.requirement("elicitation.ui-decline-cancel", revisions=ELICITS)
@pytest.mark.requirement("elicitation.decline-any-time", revisions=ELICITS)
@pytest.mark.requirement("elicitation.approval-controls", revisions=ELICITS)
@pytest.mark.requirement("elicitation.content-only-on-accept", revisions=URLS)
@pytest.mark.parametrize("revision", ELICITS)
async def test_a_user_may_decline_and_cancel_and_nothing_of_the_form_leaves_then(revision: str) -> None:
    for said, action in [
        ("decline", "decline"),
        ("cancel", "cancel"),
        (ElicitResult(action="decline", content={"name": "half written"}), "decline"),
        (Rejected(), "decline"),
    ]:

        async def callback(question: ElicitRequestFormParams, said: Any = said) -> Any:
            if isinstance(said, Exception):
                raise said
            return said

        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
        assert answer["result"] == {"action": action}


@pytest.mark.requirement("elicitation.client-validates", revisions=ELICITS)
@pytest.mark.requirement("elicitation.content-only-on-accept", revisions=URLS)
@pytest.mark.requirement("elicitation.actions", revisions=ELICITS)
@pytest.mark.parametrize("revision", ELICITS)
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({}, "field 'name' is missing"),
        ({"name": 7}, "field 'name' must be a text, not 7"),
        ({"name": "A"}, "field 'name' needs at least 2 characters, not 1"),
        ({"name": "Ada", "age": 7}, "unknown field 'age' (the form has name)"),
        (None, "this is no answer: None"),
        ("accept", "this is no answer: 'accept'"),
        (ODD, "an action is one of accept, decline, cancel"),
    ],
)
async def test_an_answer_that_does_not_fit_stays_here_and_the_host_reads_why(
    revision: str, said: Any, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def callback(question: ElicitRequestFormParams) -> Any:
        return said

    with caplog.at_level(logging.ERROR, "mcport.client"):
        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
    if revision == STATELESS:
        assert answer["result"] == {"action": "cancel"}
    else:
        assert answer["error"] == {"code": -32603, "message": "the client could not answer"}
    assert ": the elicit callback failed" in caplog.text
    assert fault in caplog.text


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"requestedSchema": FORM}, "message: Field required"),
        ({"message": "Who?"}, "requestedSchema: a form is an object"),
        (form({"type": "object"}), "requestedSchema.properties: an object is needed"),
        (form({"type": "object", "properties": {"a": {"type": "object"}}}), "requestedSchema.properties.a: only texts"),
        (form({"type": "object", "properties": {"a": {"type": "array"}}}), "requestedSchema.properties.a: a list must"),
        (
            form({"type": "object", "properties": {"a": {"type": "string", "enum": [1]}}}),
            "a: a choice is between texts",
        ),
        (form({**FORM, "required": "name"}), "requestedSchema.required: a list of names is needed"),
        (form(mode="voice"), "mode: must be 'form' or 'url'"),
    ],
)
async def test_a_form_that_is_none_is_refused_and_the_field_is_named(params: Any, fault: str) -> None:
    answer = await answer_of(LATEST, "elicitation/create", params, elicit=ada)
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].startswith("elicitation/create: ")
    assert fault in answer["error"]["message"]


# ---- elicitation by web pages


@pytest.mark.requirement("elicitation.url-no-prefetch", "elicitation.url-no-open-without-consent", revisions=URLS)
@pytest.mark.parametrize("revision", URLS)
async def test_nothing_of_a_page_is_fetched_before_or_after_the_user_was_asked(revision: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        page = {**page_in(revision), "url": f"http://127.0.0.1:{server.getsockname()[1]}/pay"}
        for said in (True, False, "cancel"):
            answer = await answer_of(revision, "elicitation/create", page, elicit_url=saying(said))
            assert "content" not in answer["result"]
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.requirement("elicitation.content-only-on-accept", revisions=URLS)
@pytest.mark.requirement("elicitation.url-accept-no-content", revisions=URLS)
@pytest.mark.requirement("elicitation.decline-any-time", revisions=URLS)
@pytest.mark.requirement("elicitation.url-shown-in-full", revisions=URLS)
@pytest.mark.requirement("elicitation.url-no-open-without-consent", revisions=URLS)
@pytest.mark.parametrize("revision", URLS)
async def test_a_web_page_is_shown_as_it_is_and_what_the_user_says_is_told_without_content(revision: str) -> None:
    seen: list[str] = []
    for said, action in [
        (True, "accept"),
        (False, "decline"),
        ("accept", "accept"),
        ("cancel", "cancel"),
        (Rejected(), "decline"),
        (ElicitResult(action="accept", content={"x": "y"}), "accept"),
    ]:

        def callback(page: ElicitRequestURLParams, said: Any = said) -> Any:
            seen.append(page.url)
            if isinstance(said, Exception):
                raise said
            return said

        answer = await answer_of(revision, "elicitation/create", page_in(revision), elicit_url=callback)
        assert answer["result"] == {"action": action}
    assert set(seen) == {PAGE["url"]}


@pytest.mark.requirement("elicitation.undeclared-mode-error")
async def test_a_mode_that_was_not_declared_is_refused() -> None:
    given: list[tuple[Any, Any]] = [(PAGE, {"elicit": ada}), (form(), {"elicit_url": yes})]
    for params, callbacks in given:
        answer = await answer_of(LATEST, "elicitation/create", params, **callbacks)
        assert answer["error"]["code"] == -32602
        assert "this client did not declare the mode" in answer["error"]["message"]


@pytest.mark.requirement("elicitation.url-handled-carefully", revisions=URLS)
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ssh://x",
        "https://",
        "https://h:x/",
        "https://a b.example/",
        "https://good.example/\x00",
        "https://good.example\x7f/",
        "https://good.example\\@evil.example/",
    ],
)
async def test_what_is_no_web_page_reaches_no_callback_and_no_host_that_answers_by_hand(url: str) -> None:
    def never(page: ElicitRequestURLParams) -> bool:
        raise AssertionError(page)

    with pytest.raises(InvalidAnswer, match="its question q: elicitation/create: url: "):
        await answer_of(STATELESS, "elicitation/create", {**page_in(STATELESS), "url": url}, elicit_url=never)

    wire = Scripted(asks({"q": {"method": "elicitation/create", "params": {**page_in(STATELESS), "url": url}}}), DONE)
    async with client_of(wire, STATELESS, elicit_url="by hand") as client:
        with pytest.raises(InvalidAnswer, match="its question q: elicitation/create: url: "):
            await client.call_tool("any", rounds=0)

    answer = await answer_of(LATEST, "elicitation/create", {**PAGE, "url": url}, elicit_url=never)
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].startswith("elicitation/create: url: ")


@pytest.mark.requirement("elicitation.url-warn-suspicious", revisions=URLS)
@pytest.mark.requirement("elicitation.ui-names-server", revisions=ELICITS)
async def test_a_callback_may_ask_who_asks_and_what_to_warn_of() -> None:
    askers: list[Asker] = []

    def page(page: ElicitRequestURLParams, asker: Asker) -> bool:
        askers.append(asker)
        return True

    async def fill(question: ElicitRequestFormParams, asker: Asker) -> str:
        askers.append(asker)
        return "decline"

    for url in ("https://xn--pypal-4ve.com/", "http://pay.example.com/", "https://bank.com@evil.example/", PAGE["url"]):
        for revision in URLS:
            await answer_of(revision, "elicitation/create", {**page_in(revision), "url": url}, elicit_url=page)
    for revision in ELICITS:
        await answer_of(revision, "elicitation/create", form(), elicit=fill)
    assert [asker.warnings for asker in askers[:8:2]] == [
        ("the host 'xn--pypal-4ve.com' has letters that may look like others",),
        ("the connection is not encrypted",),
        ("it has a user name before the host, which is 'evil.example'",),
        (),
    ]
    assert [each.warnings for each in askers[:8:2]] == [each.warnings for each in askers[1:8:2]]
    assert {asker.server for asker in askers} == {"Wire", "Scripted"}
    assert {asker.call for asker in askers} == {None, "tools/call"}
    assert {asker.server_info["name"] for asker in askers} == {"counterpart"}


# ---- defaults


@pytest.mark.requirement("elicitation.prefill-defaults", revisions=URLS)
@pytest.mark.requirement("elicitation.schema-enum-forms", revisions=URLS)
@pytest.mark.parametrize("revision", URLS)
async def test_the_shipped_callback_fills_in_the_defaults_of_every_kind_of_field(revision: str) -> None:
    options = [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]
    fields: dict[str, Any] = {
        "text": {"type": "string", "default": "a"},
        "number": {"type": "number", "default": 1.5},
        "integer": {"type": "integer", "default": 3},
        "yes": {"type": "boolean", "default": False},
        "one": {"type": "string", "enum": ["r", "g"], "default": "g"},
        "titled": {"type": "string", "oneOf": options, "default": "r"},
        "named": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"], "default": "r"},
        "some": {"type": "array", "items": {"type": "string", "enum": ["r", "g"]}, "default": ["g"]},
        "several": {"type": "array", "items": {"anyOf": options}, "default": ["r", "g"]},
        "empty": {"type": "string"},
    }
    schema = {"type": "object", "properties": fields, "required": [name for name in fields if name != "empty"]}
    answer = await answer_of(revision, "elicitation/create", form(schema), elicit=fill_defaults)
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    assert answer["result"] == {"action": "accept", "content": defaults}
    for name, wrong in [("titled", "Red"), ("named", "Red"), ("some", ["b"]), ("several", ["Red"]), ("one", "b")]:
        content = {**defaults, name: wrong}
        answer = await answer_of(revision, "elicitation/create", form(schema), elicit=saying(content))
        assert (
            (answer["result"] == {"action": "cancel"}) if revision == STATELESS else answer["error"]["code"] == -32603
        )


async def test_the_shipped_callback_declines_what_has_no_default_or_a_bad_one() -> None:
    for schema in (FORM, {"type": "object", "properties": {"n": {"type": "integer", "minimum": 5, "default": 1}}}):
        answer = await answer_of(LATEST, "elicitation/create", form(schema), elicit=fill_defaults)
        assert answer["result"] == {"action": "decline"}
