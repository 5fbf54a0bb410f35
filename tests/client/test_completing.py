"""Completions as a client asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from mcport.spec.types import CompletionArgument, PromptReference, ResourceTemplateReference
from tests.client.counterpart import ALL, STATELESS, result, usual
from tests.client.playing import Wire, client_of, of

TYPED = CompletionArgument(name="city", value="Ly")


def answered(revision: str, members: dict[str, Any]) -> dict[str, Any]:
    return result({"resultType": "complete", **members} if revision in STATELESS else members)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("completion.reference-types")
async def test_what_is_being_filled_in_is_a_prompt_by_name_or_a_resource_by_uri_or_template(revision: str) -> None:
    wire = Wire({**usual(revision), "completion/complete": [answered(revision, {"completion": {"values": []}})]})
    async with client_of(wire, revision) as client:
        await client.complete(PromptReference(name="greet"), TYPED)
        await client.complete(ResourceTemplateReference(uri="x://{city}"), TYPED)
        await client.complete(ResourceTemplateReference(uri="x://lyon"), TYPED)
    assert [message["params"]["ref"] for message in of(wire.messages, "completion/complete")] == [
        {"type": "ref/prompt", "name": "greet"},
        {"type": "ref/resource", "uri": "x://{city}"},
        {"type": "ref/resource", "uri": "x://lyon"},
    ]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("more", [{}, {"total": 5}, {"hasMore": True}, {"total": 1, "hasMore": False}])
@pytest.mark.requirement("completion.client-partial")
async def test_suggestions_are_read_whether_or_not_they_say_how_many_there_are(
    revision: str, more: dict[str, Any]
) -> None:
    members = {"completion": {"values": ["Lyon"], **more}}
    wire = Wire({**usual(revision), "completion/complete": [answered(revision, members)]})
    async with client_of(wire, revision) as client:
        found = (await client.complete(PromptReference(name="greet"), TYPED)).completion
    assert (found.values, found.total, found.has_more) == (["Lyon"], more.get("total"), more.get("hasMore"))


async def test_a_prompt_a_template_and_an_argument_are_said_in_plain_words() -> None:
    [revision] = STATELESS
    wire = Wire({**usual(revision), "completion/complete": [answered(revision, {"completion": {"values": []}})]})
    async with client_of(wire, revision) as client:
        await client.complete(prompt="greet", argument="name", value="A")
        await client.complete(resource="x://{city}", argument="city", context={"land": "France"})
        for wrong in ({}, {"prompt": "a", "resource": "b"}, {"ref": PromptReference(name="a"), "prompt": "a"}):
            with pytest.raises(TypeError, match="is for one thing"):
                await client.complete(argument="name", **wrong)
        with pytest.raises(TypeError, match="wants argument='name'"):
            await client.complete(prompt="greet")
    first, second = (message["params"] for message in of(wire.messages, "completion/complete"))
    assert (first["ref"], first["argument"]) == (
        {"type": "ref/prompt", "name": "greet"},
        {"name": "name", "value": "A"},
    )
    assert second["ref"] == {"type": "ref/resource", "uri": "x://{city}"}
    assert (second["argument"], second["context"]) == ({"name": "city", "value": ""}, {"arguments": {"land": "France"}})
