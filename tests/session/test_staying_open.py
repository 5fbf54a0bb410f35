"""Requests that stay open while nobody runs for them: they end by either side, and stand in nobody's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio

from mcport.core.jsonrpc import Raw
from mcport.core.limits import SERVER_LIMITS
from mcport.session.exchange import Exchange, StaysOpen
from tests.session.scripted import Played, cancel, request

settle = anyio.wait_all_tasks_blocked


class Watch:
    """Keeps requests for `watch` open and answers all others."""

    def __init__(self) -> None:
        self.stopped: list[Any] = []
        self.ended: list[Any] = []

    async def answer(self, exchange: Exchange) -> object:
        if exchange.asked.method != "watch":
            return Raw(b"{}")
        id = exchange.asked.id
        exchange.stop = lambda: self.stopped.append(id)
        return StaysOpen(self._ending(id))

    def _ending(self, id: Any) -> Callable[[], object]:
        def ending() -> object:
            self.ended.append(id)
            return Raw(b'{"over":true}')

        return ending


async def test_a_request_that_stays_open_counts_for_nothing_that_runs() -> None:
    played = Played(Watch().answer, SERVER_LIMITS.but(requests_in_flight=1, requests_queued=0))
    for id in range(10):
        played.channel.say(request(id, "watch"))
        await settle()
    played.channel.say(request(11, "other"))
    await settle()
    assert [message["id"] for message in played.channel.sent] == [11]
    assert played.session.running == 0
    assert await played.session.idle(1)


async def test_the_other_side_ends_it_by_a_cancellation_and_hears_nothing_more() -> None:
    watch = Watch()
    played = Played(watch.answer)
    played.channel.say(request(1, "watch"), request(2, "watch"))
    await settle()
    played.channel.say(cancel(1), cancel(1))
    await played.session.finish(grace=1, cleanup=1)
    assert [message.get("id") for message in played.channel.sent] == [2, None]
    assert (watch.stopped, watch.ended) == ([1, 2], [2])


async def test_this_side_ends_it_with_a_result_and_then_a_cancellation_once() -> None:
    watch = Watch()
    played = Played(watch.answer)
    played.channel.say(request(1, "watch"))
    await settle()
    played.session.end_open("enough")
    played.session.end_open("enough")
    assert played.channel.sent == [
        {"jsonrpc": "2.0", "id": 1, "result": {"over": True}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "enough"}},
    ]
    assert watch.stopped == [1]


async def test_closing_at_once_stops_what_stays_open_without_a_word() -> None:
    watch = Watch()
    played = Played(watch.answer)
    played.channel.say(request(1, "watch"))
    await settle()
    await played.session.aclose()
    assert (watch.stopped, watch.ended, played.channel.sent) == ([1], [], [])


async def test_an_id_that_stays_open_is_taken() -> None:
    played = Played(Watch().answer)
    played.channel.say(request(1, "watch"), request(1, "other"))
    await settle()
    (refused,) = played.channel.sent
    assert "already in flight" in refused["error"]["message"]
