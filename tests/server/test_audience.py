"""Handing notices on: slow readers, floods, many listeners, several workers."""

from __future__ import annotations

import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport import Server
from mcport.core.dialects.listening import KINDS, RESOURCE_UPDATED, TOOLS_CHANGED
from mcport.core.jsonrpc import Notification
from mcport.core.limits import SERVER_LIMITS, Limits
from mcport.server.telling import Telling
from mcport.server.telling.audience import ANYTHING, TURN, Audience
from mcport.server.telling.notice import Notice
from mcport.session.loop import current_loop
from mcport.stores.notices import MemoryNotices
from tests.server.test_notifications import NOTE, attending, heard, noticeboard
from tests.server.wire import ALL, NEW, OLD, serving


class Reader:
    """Where a listener's notifications go; it takes no more while it is `full`."""

    def __init__(self) -> None:
        self.loop = current_loop()
        self.full = False
        self.told: list[Notification] = []
        self.waiting = 0
        self._read = anyio.Event()

    async def ask(self, *question: Any, **waiting: Any) -> Any:
        raise AssertionError

    def answer_instead(self, exchange: Any, answer: Any) -> None:
        raise AssertionError

    def tell(self, notification: Notification) -> None:
        self.told.append(notification)

    async def drained(self) -> None:
        self.waiting += 1
        await self._read.wait()

    def read(self) -> None:
        self.full = False
        self._read.set()


def make_out(notice: Notice) -> Notification:
    return Notification(notice.method, notice.params)


def an_audience(limits: Limits = SERVER_LIMITS) -> Audience:
    return Audience(current_loop(), limits, {kind.method: kind for kind in KINDS})


def updated(uri: str) -> Notice:
    return Notice(RESOURCE_UPDATED, {"uri": uri}, (RESOURCE_UPDATED, uri), merges=True)


def weather(number: int) -> Notice:
    return Notice("weather", {"number": number}, ANYTHING, merges=False)


async def settle(turns: int = 5) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()


async def test_a_client_that_reads_slowly_is_sent_each_change_once_when_it_reads_again() -> None:
    audience, reader = an_audience(), Reader()
    audience.join(reader, [(RESOURCE_UPDATED, "a"), (RESOURCE_UPDATED, "b")], make_out)
    reader.full = True
    for _ in range(100):
        audience.hear(updated("a"))
        audience.hear(updated("b"))
        audience.hear(updated("c"))
        await settle(1)
    await settle()
    assert (reader.told, reader.waiting) == ([], 1)
    reader.read()
    await settle()
    assert [note.params for note in reader.told] == [{"uri": "a"}, {"uri": "b"}]


async def test_what_does_not_merge_is_bounded_for_a_slow_reader(caplog: pytest.LogCaptureFixture) -> None:
    audience, reader = an_audience(SERVER_LIMITS.but(notices=3)), Reader()
    audience.join(reader, [ANYTHING], make_out)
    reader.full = True
    for number in range(10):
        audience.hear(weather(number))
        await settle()
    reader.read()
    await settle()
    assert [note.params for note in reader.told] == [{"number": number} for number in range(3)]
    assert caplog.text.count("(Limits.notices)") == 7


async def test_what_comes_in_while_the_loop_is_busy_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    audience, reader = an_audience(SERVER_LIMITS.but(notices=3)), Reader()
    audience.join(reader, [ANYTHING, (TOOLS_CHANGED, None)], make_out)
    for number in range(10):
        audience.hear(weather(number))
    audience.hear(Notice(TOOLS_CHANGED, None, (TOOLS_CHANGED, None), merges=True))
    await settle()
    assert [note.method for note in reader.told] == ["weather"] * 3 + [TOOLS_CHANGED]


async def test_many_listeners_are_served_in_turns() -> None:
    audience, readers = an_audience(), [Reader() for _ in range(3 * TURN)]
    for reader in readers:
        audience.join(reader, [(RESOURCE_UPDATED, "a")], make_out)
    audience.hear(updated("a"))
    seen = set()
    for _ in range(50):
        await settle(1)
        seen.add(sum(len(reader.told) for reader in readers))
    assert seen - {0, 3 * TURN}, "all were served in one turn"
    assert all(len(reader.told) == 1 for reader in readers)


async def test_a_listener_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    audience, reader = an_audience(), Reader()

    def fail(notice: Notice) -> Notification:
        raise RuntimeError("no")

    audience.join(Reader(), [(RESOURCE_UPDATED, "a")], fail)
    audience.join(reader, [(RESOURCE_UPDATED, "a")], make_out)
    audience.hear(updated("a"))
    await settle()
    assert len(reader.told) == 1
    assert "a client could not be told of a change" in caplog.text


async def test_who_leaves_hears_nothing_that_still_waits() -> None:
    audience, reader = an_audience(), Reader()
    listener = audience.join(reader, [(RESOURCE_UPDATED, "a"), (RESOURCE_UPDATED, "b")], make_out)
    reader.full = True
    audience.hear(updated("a"))
    audience.hear(updated("b"))
    await settle()
    listener.leave((RESOURCE_UPDATED, "a"))
    reader.read()
    await settle()
    assert [note.params for note in reader.told] == [{"uri": "b"}]
    audience.hear(updated("b"))
    listener.close()
    listener.close()
    await settle()
    assert len(reader.told) == 1


async def test_what_is_to_be_told_can_be_hurried_on() -> None:
    audience, reader = an_audience(), Reader()
    listener = audience.join(reader, [(RESOURCE_UPDATED, "a")], make_out)
    audience.hear(updated("a"))
    audience.hurry(listener)
    assert [note.params for note in reader.told] == [{"uri": "a"}]
    await settle()
    assert len(reader.told) == 1


async def test_a_real_client_that_reads_slowly_costs_a_bounded_outbox() -> None:
    server = noticeboard(limits=SERVER_LIMITS.but(outbox_bytes=200))
    async with attending(server, OLD[0], NOTE) as wire:
        channel = wire._channel._other
        for _ in range(50):
            server.notify_resource_updated(NOTE)
            channel._backlog.set(10_000)  # it has not read what was sent before
            await settle()
        assert not [line for line in wire.raw if b"updated" in line]
        channel._backlog.set(0)
        assert heard(await wire.read()) == ("notifications/resources/updated", NOTE)
        await wire.silent()


async def test_p21_a_change_in_one_worker_reaches_the_listeners_of_every_worker() -> None:
    shared = MemoryNotices()
    here, there = noticeboard(notices=shared), noticeboard(notices=shared)
    async with attending(here, NEW[0]) as one, attending(there, OLD[0]) as other:
        here.notify_tools_changed()
        for wire in (one, other):
            assert heard(await wire.read()) == ("notifications/tools/list_changed", None)


@pytest.mark.parametrize("revision", ALL)
async def test_notices_of_other_workers_that_cannot_be_read_are_ignored(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    shared = MemoryNotices()
    async with attending(noticeboard(notices=shared), revision) as wire:
        for data in (b"", b"[]", b"\xff"):
            shared.publish(data)  # no object: it is about another subject
        for data in (b"{}", b'{"method":5}'):
            shared.publish(data)
        for params in ("null", "[]", '{"uri":[]}', "{}"):
            shared.publish(b'{"method":"notifications/resources/updated","params":%b}' % params.encode())
        await wire.silent()
    assert caplog.text.count("a notice that cannot be read is ignored") == 2
    assert caplog.text.count("that does not say what changed is ignored") == 4


def test_making_a_server_publishes_nothing() -> None:
    shared, told = MemoryNotices(), list[bytes]()
    shared.listen(told.append)
    server = noticeboard(notices=shared)
    assert told == []
    server.notify_tools_changed()
    assert [json.loads(data)["method"] for data in told] == [TOOLS_CHANGED]


async def test_a_telling_listens_only_while_there_is_an_audience() -> None:
    shared = MemoryNotices()
    telling = Telling(SERVER_LIMITS, shared)
    one, other = telling.open(current_loop()), telling.open(current_loop())
    hearers = [len(shared._hearers)]
    for audience in (one, other):
        telling.close(audience)
        hearers.append(len(shared._hearers))
    assert hearers == [1, 1, 0]


async def test_sessions_of_servers_that_have_ended_are_let_go() -> None:
    server = Server("brief")
    for _ in range(3):
        async with serving(server, OLD[0]):
            assert len(server._telling._audiences) == 1
    assert server._telling._audiences == ()
