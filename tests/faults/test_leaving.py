"""Clients that die in the middle of something, read slowly, or say things twice: nothing hangs and nothing is left."""

from __future__ import annotations

import pytest

from mcport.transports.http.server.reply import STALLED

from .conftest import LIMITS, Noted
from .raw import Connection, head
from .serving import Site


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_stateless_call_is_stopped_when_its_client_dies(site: Site, noted: Noted, end: str) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(connection.call("wait"))
        assert noted.began.acquire(timeout=5)
        _die(connection, end)
        site.until(lambda: bool(noted.ended))
        assert noted.ended == ["CancelledError"]


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_listener_that_dies_is_told_nothing_more(site: Site, end: str) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(connection.request("subscriptions/listen", notifications={"toolsListChanged": True}))
        assert connection.answer().status == 200
        assert connection.told()["method"].endswith("acknowledged")
        _die(connection, end)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_client_that_dies_on_the_stream_of_its_session_leaves_only_the_session(site: Site, end: str) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as hearer:
        hearer.session = owner.open().session
        hearer.send(hearer.get())
        assert hearer.answer().status == 200
        assert hearer.event()["id"]
        _die(hearer, end)
        site.until(lambda: site.residence().turns == set())
        assert _delete(owner) == 204


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_question_outlives_its_client_s_connection_and_ends_with_the_session(
    site: Site, noted: Noted, end: str
) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as asked:
        asked.session = owner.open(elicitation={}).session
        asked.send(asked.call("ask", id=100))
        assert asked.answer().status == 200
        while (asked.told())["method"] != "elicitation/create":
            pass
        _die(asked, end)
        assert owner.post(owner.call("add", a=1, b=1)).status == 200
        assert (site.left().questions, noted.ended) == (1, [])
        assert _delete(owner) == 204
        site.until(lambda: bool(noted.ended))


def test_an_answer_counts_once_and_late_and_unknown_ones_do_no_harm(site: Site, noted: Noted) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as asked:
        asked.session = owner.open(elicitation={}).session
        asked.send(asked.call("ask", id=7))
        asked.answer()
        while (question := asked.told())["method"] != "elicitation/create":
            pass
        first, second = ({"action": "accept", "content": {"value": each}} for each in ("first", "second"))
        replies = [
            {"jsonrpc": "2.0", "id": "unknown", "result": second},
            {"jsonrpc": "2.0", "id": 7, "result": second},
            {"jsonrpc": "2.0", "id": question["id"], "result": first},
            {"jsonrpc": "2.0", "id": question["id"], "result": second},
            {"jsonrpc": "2.0", "id": question["id"], "error": {"code": 1, "message": "late"}},
        ]
        owner.send(b"".join(map(owner.message, replies)))
        assert [owner.answer().status for _ in replies] == [202] * len(replies)
        assert asked.told()["result"]["content"][0]["text"] == "first"
        assert (asked.told(), noted.ended) == (None, ["accept"])
        assert owner.post(owner.message(replies[3])).status == 202
        assert _delete(owner) == 204


def test_an_id_that_is_running_already_is_refused_and_the_first_call_goes_on(site: Site, noted: Noted) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as other:
        other.session = owner.open().session
        other.send(other.call("wait", id=5))
        assert noted.began.acquire(timeout=5)
        assert owner.post(owner.call("add", id=5, a=1, b=1)).status == 400
        assert (noted.ended, site.left().running) == ([], 1)
        assert _delete(owner) == 204


def test_a_flood_of_notifications_is_taken_and_keeps_nothing(site: Site) -> None:
    flood = [
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}},
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 9, "progress": 1}},
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/unheard_of"},
    ]
    with site.as_it_was(), site.connect() as connection:
        connection.open()
        for _ in range(20):
            connection.send(b"".join(map(connection.message, flood * 4)))
            assert [connection.answer().status for _ in flood * 4] == [202] * len(flood) * 4
        assert _delete(connection) == 204


def test_a_stateless_client_that_reads_nothing_holds_its_handler_back_and_is_let_go(site: Site, noted: Noted) -> None:
    with site.as_it_was(), site.connect(receive_buffer=4096) as connection:
        connection.send(connection.call("tell", times=100_000, size=1000, meta={"progressToken": 1}))
        site.until(lambda: _backlog(site) >= LIMITS.outbox_bytes)
        assert _backlog(site) < LIMITS.outbox_hard_bytes
        assert noted.ended == []
        connection.reset()
        site.until(lambda: bool(noted.ended))
        assert noted.ended == ["CancelledError"]


def test_a_reader_that_is_slow_gets_everything_in_the_end(site: Site, noted: Noted) -> None:
    with site.as_it_was(), site.connect(receive_buffer=4096) as connection:
        connection.send(connection.call("tell", times=3000, size=1000, meta={"progressToken": 1}))
        site.until(lambda: _backlog(site) >= LIMITS.outbox_bytes)
        connection.answer()
        told = list(iter(connection.told, None))
        assert [each["params"]["progress"] for each in told[:-1]] == list(range(3000))
        assert "result" in told[-1]


def test_a_reader_that_takes_nothing_at_all_is_cut_off(site: Site, noted: Noted) -> None:
    """Each time it is shown that the stream lives is one of eight; in two minutes nobody is that slow."""
    with site.as_it_was(), site.connect(receive_buffer=4096) as connection:
        connection.send(connection.call("tell", times=100_000, size=1000, meta={"progressToken": 1}))
        site.until(lambda: _backlog(site) >= LIMITS.outbox_bytes)
        times = 0
        while not noted.ended:
            site.within(_keep_alive(site))
            times += 1
        assert times >= STALLED
        assert noted.ended == ["CancelledError"]


def test_a_client_of_a_session_that_reads_nothing_holds_its_handler_back_and_may_leave(
    site: Site, noted: Noted
) -> None:
    """To leave is no cancellation there: what was not read is kept for a while, within the bounds of the log."""
    with site.as_it_was(), site.connect() as owner, site.connect(receive_buffer=4096) as connection:
        connection.session = owner.open().session
        connection.send(connection.call("tell", id=50, times=5000, size=1000, meta={"progressToken": 1}))
        site.until(lambda: _backlog(site) >= LIMITS.outbox_bytes)
        assert _backlog(site) < LIMITS.outbox_hard_bytes
        assert noted.ended == []
        connection.reset()
        site.until(lambda: bool(noted.ended))
        assert noted.ended == ["told all"]
        assert _delete(owner) == 204


def test_a_client_that_never_reads_the_stream_of_its_session_is_told_less_and_nobody_else_is(site: Site) -> None:
    news = {"text": "x" * 8000}
    with site.as_it_was(), site.connect(receive_buffer=4096) as slow, site.connect() as quick:
        for each in (slow.open(), quick.open()):
            each.send(each.get())
        assert quick.answer().status == 200
        assert quick.event()["id"]
        for number in range(1000):
            site.server.notify("com.example/news", {**news, "number": number})
            assert quick.told()["params"]["number"] == number
        assert LIMITS.outbox_bytes <= _backlog(site) < LIMITS.outbox_hard_bytes


async def _keep_alive(site: Site) -> None:
    """Do what is done every fifteen seconds."""
    for turn in list(site.residence().turns):
        turn.keep_alive()


def _backlog(site: Site) -> int:
    """How many bytes wait for clients."""
    replies = [getattr(turn, "reply", getattr(turn, "_reply", None)) for turn in site.residence().turns]
    return sum(reply.backlog for reply in replies if reply is not None)


def _die(connection: Connection, end: str) -> None:
    if end == "reset":
        connection.reset()
    else:
        connection.socket.close()


def _delete(connection: Connection) -> int:
    return connection.post(head("DELETE", {"Host": "localhost", **connection.session})).status
