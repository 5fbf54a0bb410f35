"""Callbacks that let out what they should not, and listeners that change their mind, end nothing but themselves."""

from typing import Any

import anyio
import pytest

from mcport.core.asking.form_values import is_formatted, is_number
from mcport.spec.types import ElicitRequestFormParams
from tests.client.counterpart import notification, usual
from tests.client.playing import Wire, client_of
from tests.client.questions import LATEST, STATELESS, answer_of, form

CHANGES = {"tools": {"listChanged": True}, "resources": {"subscribe": True}}


class Quit(BaseException):
    """What nobody catches."""


async def test_a_callback_that_tries_to_end_the_program_fails_its_own_question() -> None:
    async def leave(question: ElicitRequestFormParams) -> dict[str, Any]:
        raise Quit

    refused = await answer_of(LATEST, "elicitation/create", form(), elicit=leave)
    assert refused["error"] == {"code": -32603, "message": "the client could not answer"}
    cancelled = await answer_of(STATELESS, "elicitation/create", form(), elicit=leave)
    assert cancelled == {"result": {"action": "cancel"}}


@pytest.mark.parametrize("revision", [LATEST, STATELESS])
async def test_a_listening_that_is_closed_while_it_opens_ends_whoever_iterates(revision: str) -> None:
    wire = Wire(usual(revision, CHANGES))
    wire.counterpart.table |= {"resources/subscribe": [], "subscriptions/listen": []}
    heard: list[object] = []
    async with client_of(wire, revision) as client:
        changes = client.listen(uris=["a:b"])

        async def iterate() -> None:
            heard.extend([change async for change in changes])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(iterate)
            methods = {"resources/subscribe", "subscriptions/listen"}
            await wire.until(lambda messages: any(each.get("method") in methods for each in messages))
            await changes.aclose()
    assert heard == []


async def test_two_that_iterate_side_by_side_share_one_subscription() -> None:
    wire = Wire(usual(STATELESS, CHANGES))
    meta = {"io.modelcontextprotocol/subscriptionId": "$id"}
    acknowledged = {"notifications": {"toolsListChanged": True}, "_meta": meta}
    wire.counterpart.table["subscriptions/listen"] = [
        notification("notifications/subscriptions/acknowledged", acknowledged)
    ]
    async with client_of(wire, STATELESS) as client:
        changes = client.listen(tools=True)

        async def step() -> None:
            with pytest.raises(StopAsyncIteration):
                await anext(changes)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)
            tasks.start_soon(step)
            await wire.until(lambda messages: any(each.get("method") == "subscriptions/listen" for each in messages))
            await anyio.wait_all_tasks_blocked()
            await changes.aclose()
    assert [each.get("method") for each in wire.messages].count("subscriptions/listen") == 1


def test_numbers_of_any_length_and_times_as_the_format_has_them_are_judged() -> None:
    assert is_number(10**400)
    assert not is_number(float("inf"))
    assert is_formatted("date-time", "2026-01-31T10:00:00Z")
    assert not is_formatted("date-time", "2026-01-31 10:00:00Z")
