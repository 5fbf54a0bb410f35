"""Handlers that run more than once in a round, and stops that nobody lets pass."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mcport import Context, Middleware, Server
from mcport.spec.revisions import REVISIONS
from tests.server.answering import ELICITS, Seen, accept, asked, said
from tests.server.wire import ALL, NEW, serving

pytestmark = pytest.mark.anyio

ELICITING = [name for name in ALL if REVISIONS[name].elicits]


class Stubborn(Middleware):
    """Calls a tool that failed once more."""

    async def on_call_tool(self, request: Any, next: Any) -> Any:
        result = await next(request)
        return await next(request) if getattr(result, "is_error", False) else result


@pytest.mark.parametrize("revision", ELICITING)
async def test_middleware_may_run_a_handler_again_and_nobody_is_asked_twice(revision: str) -> None:
    server, runs = Server("x", middleware=[Stubborn()]), []

    @server.tool
    async def ask(ctx: Context) -> str:
        name = (await ctx.elicit("Name?", str, key="name")).data
        age = (await ctx.elicit("Age?", int)).data
        await ctx.once("pay", lambda: runs.append("paid"))
        if runs.count("failed") == 0:
            runs.append("failed")
            raise ValueError("once")
        return f"{name} {age}"

    user = Seen(accept(value="Ada"), accept(value=36))
    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", user) == "Ada 36"
    assert len(user.asked) == 2
    assert runs == ["paid", "failed"]


@pytest.mark.parametrize("revision", NEW)
async def test_a_gather_that_returns_exceptions_swallows_no_question(revision: str, anyio_backend_name: str) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("gather is asyncio's own")
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        found: Any = await asyncio.gather(ctx.elicit("a", str), ctx.elicit("b", str), return_exceptions=True)
        return "".join(str(each.data) for each in found)

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", lambda question: accept(value=question["params"]["message"])) == "ab"


@pytest.mark.parametrize("revision", NEW)
async def test_a_thread_that_will_not_end_is_not_waited_for(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcport.server.asking.cleaning_up.CLEANUP", 0.01)
    server, end = Server("x"), threading.Event()

    @server.tool
    def ask(ctx: Context) -> str:
        try:
            return str(ctx.blocking.elicit("?", str).data)
        finally:
            end.wait(30)

    async with serving(server, revision, ELICITS) as wire:
        try:
            assert (await asked(wire, "ask"))["inputRequests"]
        finally:
            end.set()
