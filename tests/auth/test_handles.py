"""What a protected server holds for somebody is nobody else's: used by another principal, a handle is as good as none.

Whoever learns an id of somebody else has learned nothing: ids never authenticate. (basic/security_best_practices
"Session Hijacking".)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcport import Context, Limits, RateLimit, Server
from mcport.stores.values import MemoryStore
from tests.http.bridge import ask, stateless
from tests.http.raw_session import accept, call, message, session
from tests.http.test_sse_server import opened, workers

from .gate import BOTH, Bearing, gate, said, token

pytestmark = pytest.mark.anyio

ADA = token()
EVE = token(sub="eve")
FORMS: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}


def desk(**options: Any) -> Server:
    """A protected server that holds things: questions, values, subscriptions, bounds."""
    server = Server("desk", auth=gate(), **options)

    @server.tool
    async def greet(ctx: Context) -> str:
        """Ask for a name, once for all."""
        number = await ctx.once("number", lambda: "n" * 1000, one_time=True)
        assert ctx.principal is not None
        return f"Hello {(await ctx.elicit('Who?', str)).data}, {ctx.principal.claims['sub']} has {len(number)}"

    @server.tool
    async def work(ctx: Context) -> str:
        """Say something before the answer."""
        await ctx.report_progress(1, 2, "half of it is secret")
        return "done"

    @server.tool
    async def claims(ctx: Context) -> str:
        """Say who asks, and what they may do."""
        assert ctx.principal is not None
        return f"{ctx.principal.subject} of {ctx.principal.issuer} may {' '.join(sorted(ctx.principal.scopes))}"

    @server.resource("note://one")
    def one() -> str:
        return "1"

    @server.prompt
    def say(word: str) -> str:
        return word

    @server.complete(prompt="say", argument="word")
    def words(value: str) -> list[str]:
        return ["one", "two"]

    return server


# ---- sessions


async def test_an_id_of_a_session_is_worth_nothing_without_its_principals_token() -> None:
    app = desk().asgi()
    async with session(Bearing(app, ADA), elicitation={}) as opened:
        for bearer, status in ((EVE, 404), (None, 401), (token(exp=1), 401)):
            thief = Bearing(app, bearer)
            for request in (
                opened.post(call("claims"), thief),
                opened.post(accept({"id": "x", "method": "elicitation/create"}, "Eve"), thief),
                opened.post(message("notifications/cancelled", None, requestId=1), thief),
                opened.get(at=thief),
                opened.delete(thief),
            ):
                async with request as answer:
                    assert answer.status == status
        assert "ada of" in str(await opened.result(call("claims")))


async def test_in_a_session_each_request_may_do_what_its_own_token_may_at_every_worker() -> None:
    here, there = workers(desk())
    async with session(Bearing(here, token(scope="notes:admin"))) as opened:
        for app in (here, there):
            for scope in ("notes:read", "notes:write notes:read"):
                result = await opened.result(call("claims"), Bearing(app, token(scope=scope)))
                expected = f"ada of https://login.example.com may {' '.join(sorted(scope.split()))}"
                assert result["content"][0]["text"] == expected
    await here.aclose()
    await there.aclose()


async def test_an_answer_to_a_question_is_taken_from_whoever_was_asked() -> None:
    app = desk().asgi()
    async with session(Bearing(app, ADA), elicitation={}) as opened, opened.post(call("greet")) as answer:
        question = await answer.event()
        async with opened.post(accept(question, "Eve"), Bearing(app, EVE)) as refused:
            assert refused.status == 404
        await opened.tell(accept(question, "Ada"))
        assert "Hello Ada" in str(await answer.event())


@pytest.mark.parametrize("own", [True, False])
async def test_a_stream_that_broke_off_is_continued_by_whoever_it_was_for(own: bool) -> None:
    app = desk().asgi()
    async with session(Bearing(app, ADA)) as adas, session(Bearing(app, EVE)) as eves:
        async with adas.post(call("work", meta={"progressToken": 1})) as answer:
            await answer.events()
            last = answer.last_event_id
        thief = eves if own else adas
        async with thief.get(last, Bearing(app, EVE)) as stolen:
            assert stolen.status == (400 if own else 404)
            assert b"secret" not in await stolen.body()


# ---- the pair of 2024-11-05


async def test_a_connection_of_the_older_pair_is_its_principals_at_every_worker() -> None:
    one, other = workers(desk())
    async with opened(Bearing(one, ADA)) as pair:
        for app in (one, other):
            for bearer, status in ((EVE, 404), (None, 401)):
                async with pair.post(call("claims"), Bearing(app, bearer)) as answer:
                    assert answer.status == status
        assert "ada of" in str(await pair.ask(call("claims"), Bearing(other, token(scope="x"))))
    await one.aclose()
    await other.aclose()


# ---- what travels through clients


def greeting(required: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call that asks, or its next round with what the one before required."""
    if required is None:
        return stateless("tools/call", meta=FORMS, name="greet", arguments={})
    answers = {key: {"action": "accept", "content": {"value": "you"}} for key in required["inputRequests"]}
    state = required["requestState"]
    return stateless("tools/call", meta=FORMS, name="greet", arguments={}, requestState=state, inputResponses=answers)


@pytest.mark.requirement("mrtr.state-principal", "elicitation.bound-to-client-and-user")
@pytest.mark.parametrize("stored", [False, True])
async def test_a_state_with_all_that_is_kept_in_it_serves_who_got_it_alone(stored: bool) -> None:
    options = {"limits": Limits(state_bytes=600), "ask_store": MemoryStore()} if stored else {}
    app = desk(**options).asgi()
    async with ask(Bearing(app, ADA), **greeting()) as answer:
        required = (await answer.json())["result"]
    for _ in range(2):
        async with ask(Bearing(app, EVE), **greeting(required)) as answer:
            assert (await answer.json())["error"]["code"] == -32602
    async with ask(Bearing(app, token(scope="notes:other")), **greeting(required)) as answer:
        assert "Hello you, ada has 1000" in str(await answer.json())


@pytest.mark.requirement("elicitation.user-from-authorization", revisions=BOTH)
@pytest.mark.parametrize("era", BOTH)
async def test_who_answers_a_question_is_known_by_the_token_and_by_nothing_that_the_client_says(era: str) -> None:
    app = Bearing(desk().asgi(), ADA)
    if era == "2025-11-25":
        async with session(app, elicitation={}) as opened, opened.post(call("greet", meta={"sub": "eve"})) as answer:
            await opened.tell(accept(await answer.event(), "Eve"))
            said = str(await answer.event())
    else:
        async with ask(app, **greeting()) as answer:
            required = (await answer.json())["result"]
        claiming = greeting(required)
        claiming["body"] = claiming["body"].replace(b'"you"', b'"Eve"').replace(b'"_meta":{', b'"_meta":{"sub":"eve",')
        async with ask(app, **claiming) as answer:
            said = str(await answer.json())
    assert "Hello Eve, ada has" in said


# ---- what is listened to


@asynccontextmanager
async def listening(app: Any, bearer: str) -> AsyncIterator[Any]:
    wanted = stateless("subscriptions/listen", id=7, notifications={"toolsListChanged": True})
    async with ask(Bearing(app, bearer), **wanted) as stream:
        assert stream.status == 200
        assert (await stream.event())["method"] == "notifications/subscriptions/acknowledged"
        yield stream


async def test_two_who_listen_under_one_id_have_nothing_to_do_with_each_other() -> None:
    server = desk()
    app = server.asgi()
    async with listening(app, ADA) as adas:
        async with listening(app, EVE):
            withdrawn = stateless("notifications/cancelled", requestId=7)
            async with ask(Bearing(app, EVE), **withdrawn) as answer:
                await answer.body()
        server.add_tool(lambda: "x", name="new")
        assert (await adas.event())["method"] == "notifications/tools/list_changed"
    await app.aclose()


async def test_what_one_subscribes_to_is_told_in_their_session_alone() -> None:
    server = desk()
    app = server.asgi()
    async with session(Bearing(app, ADA)) as adas, session(Bearing(app, EVE)) as eves:
        async with adas.post(message("resources/unsubscribe", uri="note://one"), Bearing(app, EVE)) as answer:
            assert answer.status == 404
        await adas.result(message("resources/subscribe", uri="note://one"))
        async with adas.get() as heard, eves.get() as beside:
            server.notify_resource_updated("note://one")
            assert (await heard.event())["params"]["uri"] == "note://one"
            server.add_tool(lambda: "x", name="new")
            assert (await beside.event())["method"] == "notifications/tools/list_changed"
    await app.aclose()


# ---- bounds


async def refused_in_the_end(ask_with: Callable[[str], Awaitable[bool]]) -> bool:
    """Ask with one token of hers after the other, until she has asked too often."""
    for number in range(50):
        if not await ask_with(token(scope=f"s{number}")):
            return True
    return False


async def test_a_bound_on_calls_is_each_principals_own_whatever_token_they_use() -> None:
    app = desk(middleware=[RateLimit(1)]).asgi()

    async def called(bearer: str) -> bool:
        answer = await said(Bearing(app, bearer), tool="claims")
        return "Too many tool calls" not in answer.text  # type: ignore[attr-defined]

    assert await refused_in_the_end(called)
    assert await called(EVE)


async def test_a_bound_on_completions_is_each_principals_own_whatever_token_they_use() -> None:
    app = desk(limits=Limits(completions_per_second=1)).asgi()
    reference: dict[str, Any] = {
        "ref": {"type": "ref/prompt", "name": "say"},
        "argument": {"name": "word", "value": ""},
    }

    async def completed(bearer: str) -> bool:
        async with ask(Bearing(app, bearer), **stateless("completion/complete", **reference)) as answer:
            return "result" in await answer.json()

    assert await refused_in_the_end(completed)
    assert await completed(EVE)
