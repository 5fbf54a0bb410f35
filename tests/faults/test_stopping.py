"""A server that is stopped while its clients are in the middle of something: all are let go, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .conftest import Noted, build
from .raw import Connection
from .serving import Site, served


@pytest.fixture
def stopped(noted: Noted, parser: str) -> Iterator[Site]:
    """A site that each test stops itself."""
    with served(build(noted), parser) as site:
        yield site


def test_p8_a_server_with_clients_in_every_phase_ends_soon(stopped: Site, noted: Noted) -> None:
    connections = ExitStack()
    calling, listening, hearing, asked, posting = (connections.enter_context(stopped.connect()) for _ in range(5))
    calling.send(calling.call("wait"))
    listening.send(listening.request("subscriptions/listen", notifications={"toolsListChanged": True}))
    asked.open(elicitation={})
    hearing.session = asked.session
    hearing.send(hearing.get())
    asked.send(asked.call("ask"))
    posting.send(posting.call("add", a=1, b=1)[:-5])
    assert noted.began.acquire(timeout=5)
    assert noted.began.acquire(timeout=5)
    assert [each.answer().status for each in (listening, hearing, asked)] == [200, 200, 200]
    began = time.monotonic()
    stopped.stop()
    stopped.join()
    assert time.monotonic() - began < 4, "one second for what runs, and little more"
    assert len(noted.ended) == 2
    assert list(iter(listening.told, None))[-1]["result"]["resultType"] == "complete"
    assert _is_told_or_cut(calling)
    for each in (calling, posting, hearing):
        each.rest()
    connections.close()


def test_a_call_that_ends_in_time_is_answered_though_the_server_is_stopped(stopped: Site) -> None:
    with stopped.connect() as owner, stopped.connect() as asked:
        asked.session = owner.open(elicitation={}).session
        asked.send(asked.call("ask", id=100))
        asked.answer()
        while (question := asked.told())["method"] != "elicitation/create":
            pass
        stopped.within(_begin_the_end(stopped))
        accepted = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}}
        assert owner.post(owner.message(accepted)).status in (202, 503)
        stopped.stop()
        stopped.join()


def test_a_request_after_the_end_has_begun_is_refused_or_cut_off(stopped: Site, noted: Noted) -> None:
    with stopped.connect() as early, stopped.connect() as late:
        assert late.post(late.call("add", a=1, b=1)).status == 200
        early.send(early.call("wait"))
        assert noted.began.acquire(timeout=5)
        stopped.within(_begin_the_end(stopped))
        answer = late.post(late.call("add", a=1, b=1))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "shutting down" in answer.json()["error"]["message"]
        assert early.answer().status == 503
        assert noted.ended == ["CancelledError"]


def test_a_server_that_was_stopped_refuses_connections_and_another_one_takes_its_place(
    stopped: Site, noted: Noted
) -> None:
    stopped.stop()
    stopped.join()
    with pytest.raises(ConnectionRefusedError):
        stopped.connect()
    with served(build(noted)) as next_one, next_one.connect() as connection:
        assert connection.post(connection.call("add", a=1, b=1)).status == 200


async def _begin_the_end(site: Site) -> None:
    """End the app, and not uvicorn, whose connections stay."""
    site.loop.create_task(site.app.aclose())


def _is_told_or_cut(connection: Connection) -> bool:
    try:
        return connection.answer().status == 503
    except (EOFError, ConnectionError):
        return True
