"""Nothing of one client reaches another: same ids, same tool, one server (T-7 of the security notes)."""

from __future__ import annotations

import contextvars
import random

import anyio
from anyio.lowlevel import checkpoint

from mcport import Client, Context, Server

CLIENTS, CALLS = 30, 10
owner: contextvars.ContextVar[str] = contextvars.ContextVar("owner", default="nobody")


async def test_each_client_gets_its_own_answers_and_its_own_progress() -> None:
    server = Server("shared")
    dice = random.Random(7)

    @server.tool
    async def canary(secret: str, ctx: Context) -> str:
        owner.set(secret)
        for step in range(1, 4):
            for _ in range(dice.randrange(4)):
                await checkpoint()
            await ctx.report_progress(step, 3, secret)
        assert owner.get() == secret
        return f"{ctx.request_id} {secret}"

    async def use(number: int, revision: str | None) -> None:
        heard: set[str | None] = set()
        async with Client(server, revision=revision) as client:
            for call in range(CALLS):
                secret = f"canary-{number}-{call}"
                result = await client.call_tool(
                    "canary", {"secret": secret}, progress=lambda _done, _total, message: heard.add(message)
                )
                assert result.content[0].model_dump()["text"].endswith(secret)
                assert heard == {secret}
                heard.clear()

    async with anyio.create_task_group() as tasks:
        for number in range(CLIENTS):
            tasks.start_soon(use, number, ["2025-11-25", "2026-07-28", None][number % 3])
