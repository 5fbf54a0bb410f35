"""A server with tools that take long, ask, or say much, served with each HTTP parser that uvicorn has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from mcport import Context, Server
from mcport.core.limits import KIB, Limits

from .serving import Site, served

LIMITS = Limits(message_bytes=64 * KIB, outbox_bytes=64 * KIB, outbox_hard_bytes=256 * KIB)


@dataclass
class Noted:
    """What handlers noticed of their fate."""

    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: list[str] = field(default_factory=list)


def build(noted: Noted, limits: Limits = LIMITS) -> Server:
    """Return the server that is mistreated."""
    server = Server("victim", limits=limits, log_level="debug")

    @server.tool
    def add(a: int, b: int) -> int:
        return a + b

    @server.tool
    def echo(text: str) -> str:
        return text

    @server.tool
    async def wait() -> None:
        noted.began.release()
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            noted.ended.append(type(error).__name__)
            raise

    @server.tool
    async def linger(ctx: Context) -> None:
        await ctx.report_progress(1)
        noted.began.release()
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            noted.ended.append(type(error).__name__)
            raise

    @server.tool
    async def ask(ctx: Context) -> str:
        noted.began.release()
        try:
            answer = await ctx.elicit("Which?", str)
            noted.ended.append(answer.action)
            return answer.data if answer.action == "accept" else answer.action
        except BaseException as error:
            noted.ended.append(type(error).__name__)
            raise

    @server.tool
    async def tell(ctx: Context, times: int, size: int) -> str:
        try:
            for number in range(times):
                await ctx.report_progress(number, message="x" * size)
        except BaseException as error:
            noted.ended.append(type(error).__name__)
            raise
        noted.ended.append("told all")
        return "told all"

    return server


@pytest.fixture(scope="module")
def notebook() -> Noted:
    return Noted()


@pytest.fixture
def noted(notebook: Noted) -> Noted:
    """What handlers notice during one test."""
    notebook.ended.clear()
    while notebook.began.acquire(blocking=False):
        pass
    return notebook


@pytest.fixture(scope="module", params=["h11", "httptools"])
def parser(request: pytest.FixtureRequest) -> Any:
    if request.param == "httptools":
        pytest.importorskip("httptools", reason="the extra 'fast' is not installed")
    return request.param


@pytest.fixture(scope="module")
def site(notebook: Noted, parser: str) -> Iterator[Site]:
    with served(build(notebook), parser) as site:
        yield site
