"""Streams and the tokens that opened them: none goes on for long after its token, and no call is cut off by that."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport import BearerAuth, Principal, Server, StaticTokens
from mcport.core.principal import LEEWAY
from mcport.server import connection
from mcport.transports.http.server import residence
from mcport.transports.http.server.reply import ALIVE
from tests.http.bridge import Answer, ask, stateless
from tests.http.raw_session import call, session
from tests.http.test_sse_server import opened

from .gate import ISSUER, RESOURCE, Bearing

pytestmark = pytest.mark.anyio

ENDS = 1000.0


class Place:
    """A protected server with a clock of its own, whose tool waits; the token `t` is good until `ENDS`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(residence, "ALIVE_SECONDS", 0.005)
        monkeypatch.setattr(connection, "GRACE", 0.0)  # what runs when its connection ends is stopped at once
        self.now = ENDS - 600
        self.begun, self.go_on = anyio.Event(), anyio.Event()
        tokens = StaticTokens({"t": Principal("ada", expires_at=ENDS)})
        self.server = Server("s", auth=BearerAuth(RESOURCE, issuer=ISSUER, verifier=tokens, now=lambda: self.now))
        self.app = self.server.asgi()
        self.ours = Bearing(self.app, "t")

        @self.server.tool
        async def wait() -> str:
            """Wait."""
            self.begun.set()
            await self.go_on.wait()
            return "done"

    def expire(self) -> None:
        self.now = ENDS + LEEWAY


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


async def lives(stream: Answer) -> None:
    """Wait until a stream has said twice that it lives: what was to end it has been looked at meanwhile."""
    for _ in range(2):
        while (await stream._chunk() or pytest.fail("the stream ended")) != ALIVE:
            pass


async def ended(stream: Answer) -> list[Any]:
    """Wait for the end of a stream; return what it still said."""
    with anyio.fail_after(5):
        return await stream.events()


async def test_a_listening_gets_its_result_when_its_token_is_over_and_not_before(place: Place) -> None:
    listen = stateless("subscriptions/listen", id=7, notifications={"toolsListChanged": True})
    async with ask(place.ours, **listen) as answer:
        assert (await answer.event())["method"] == "notifications/subscriptions/acknowledged"
        place.now = ENDS + LEEWAY - 1  # clocks may differ, and the token itself would still be taken
        await lives(answer)
        place.expire()
        (last,) = await ended(answer)
        assert (last["id"], last["result"]["resultType"]) == (7, "complete")
    await place.app.aclose()


async def test_the_stream_of_a_session_ends_with_its_token_and_the_session_does_not(place: Place) -> None:
    async with session(place.ours) as made:
        async with made.get() as stream:
            await lives(stream)
            place.expire()
            await ended(stream)
        async with made.get() as again:
            assert again.status == 401
        place.now = ENDS - 600
        async with made.get() as again:
            assert again.status == 200
    await place.app.aclose()


@pytest.mark.parametrize("era", ["stateless", "session"])
async def test_a_call_that_runs_is_answered_after_its_token_is_over(place: Place, era: str) -> None:
    async with session(place.ours) as made:
        request: dict[str, Any] = {"body": call("wait"), "headers": made.headers}
        async with ask(
            place.ours, **(stateless("tools/call", name="wait") if era == "stateless" else request)
        ) as answer:
            await place.begun.wait()
            place.expire()
            await lives(answer)
            place.go_on.set()
            last = (await answer.events())[-1]
            assert last["result"]["content"][0]["text"] == "done"
    await place.app.aclose()


async def test_a_connection_over_http_sse_ends_with_its_token_once_nothing_runs(place: Place) -> None:
    async with opened(place.ours) as pair:
        await pair.say(call("wait"))
        await place.begun.wait()
        place.expire()
        await lives(pair.stream)
        place.go_on.set()
        (answered,) = await ended(pair.stream)
        assert answered["result"]["content"][0]["text"] == "done"
    await place.app.aclose()


async def test_a_stream_of_nobody_in_particular_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "ALIVE_SECONDS", 0.005)
    app = Server("s").asgi()
    async with session(app) as made, made.get() as stream:
        await lives(stream)
    await app.aclose()


async def test_whoever_a_verifier_takes_for_expired_is_not_let_in(place: Place) -> None:
    place.expire()
    async with ask(place.ours, **stateless("tools/list")) as answer:
        assert (answer.status, "invalid_token" in answer.headers["www-authenticate"]) == (401, True)
