"""Methods that the protocol does not have, and that ask the client back as tools do."""

from __future__ import annotations

from typing import Any

import pytest

from mcport import Context, Elicit, Extension, InputRequired, Server
from mcport.core.dialects.contract import META_CAPABILITIES
from tests.server.answering import ELICITS, Refused, Seen, accept, retry, served
from tests.server.wire import NEW, Json, serving

ASKING = "com.example/booking"
GET, HAND, MUTE = f"{ASKING}.get", f"{ASKING}.hand", f"{ASKING}.mute"
DECLARES: Json = {**ELICITS, "extensions": {ASKING: {}}}

pytestmark = [pytest.mark.anyio]
EACH = pytest.mark.parametrize("revision", ["2025-11-25", *NEW])


def a_server(**options: Any) -> Server:
    booking = Extension(ASKING, handshake=True)

    @booking.method(GET, asks=True)
    async def get(params: dict[str, Any], ctx: Context) -> Json:
        answer = await ctx.elicit("Which seat?", str, key="seat")
        return {"seat": answer.data, "params": params}

    @booking.method(HAND, asks=True)
    async def by_hand(ctx: Context) -> Json | InputRequired:
        if "seat" not in ctx.input_responses:
            return InputRequired({"seat": Elicit("Which seat?", str)})
        return {"seat": ctx.input_responses["seat"]["content"]["value"]}

    @booking.method(MUTE)
    async def mute(params: dict[str, Any], ctx: Context) -> Any:
        if params.get("hand"):
            return InputRequired({"seat": Elicit("Which seat?", str)})
        return {**params, "seat": (await ctx.elicit("Which seat?", str)).data} if params.get("ask") else params

    server = Server("x", extensions=[booking], **options)

    @server.method("com.example/free", asks=True)
    def free(ctx: Context) -> Json:
        return {"seat": ctx.blocking.elicit("Which seat?", str).data}

    return server


@EACH
@pytest.mark.parametrize("method", [GET, HAND, "com.example/free"])
async def test_a_method_that_says_so_asks_in_both_eras(revision: str, method: str) -> None:
    user = Seen(accept(value=5), accept(value="12A"))
    async with serving(a_server(), revision, DECLARES) as wire:
        message = await served(wire, method, {"flight": "X1"}, user)
    assert message["result"]["seat"] == "12A"
    assert message["result"].get("params", {"flight": "X1"}) == {"flight": "X1"}
    assert [question["params"]["message"] for question in user.asked] == ["Which seat?"] * 2


@pytest.mark.parametrize("revision", NEW)
async def test_its_state_belongs_to_all_of_its_parameters(revision: str) -> None:
    async with serving(a_server(), revision, DECLARES) as wire:
        first = (await wire.ask(GET, {"flight": "X1"}))["result"]
        assert first["resultType"] == "input_required"
        answers = {"seat": accept(value="12A")}
        for method, params in ((GET, {"flight": "X2"}), (GET, {}), (HAND, {"flight": "X1"})):
            assert (await wire.error(method, retry(params, first, answers)))["code"] == -32602
        assert (await wire.ask(GET, retry({"flight": "X1"}, first, answers)))["result"]["seat"] == "12A"


@EACH
async def test_one_that_does_not_say_so_cannot_ask_and_keeps_all_its_parameters(revision: str) -> None:
    async with serving(a_server(), revision, DECLARES) as wire:
        params = {"inputResponses": {"a": 1}, "requestState": "mine"}
        answered = (await wire.ask(MUTE, params))["result"]
        assert {name: answered[name] for name in params} == params
        for wrong in ("ask", "hand"):
            assert (await wire.error(MUTE, {wrong: True}))["code"] == -32603


@EACH
async def test_what_a_client_did_not_declare_or_refuses_is_an_error_of_the_method(revision: str) -> None:
    async with serving(a_server(), revision, {"extensions": {ASKING: {}}}) as wire:
        assert "elicitation.form" in (await wire.error(GET, {}))["message"]
    if revision not in NEW:
        async with serving(a_server(), revision, DECLARES) as wire:
            message = await served(wire, GET, {}, Seen(Refused(-1, "not today")))
            assert "not today" in message["error"]["message"]


@pytest.mark.parametrize("revision", NEW)
async def test_a_retry_that_no_longer_declares_the_extension_is_refused(revision: str) -> None:
    async with serving(a_server(), revision, DECLARES) as wire:
        first = (await wire.ask(GET, {}))["result"]
        params = retry({}, first, {"seat": accept(value="12A")})
        assert (await wire.error(GET, params, **{META_CAPABILITIES: ELICITS}))["code"] == -32021
