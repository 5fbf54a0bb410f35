"""A channel over a transport of the user: whatever the transport does, the session hears one end, and nothing hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport.core.framing import Line, Oversized
from mcport.session import channel as module
from mcport.session.channel import EndOfStream, TracedChannel, Transport, TransportChannel
from mcport.session.loop import current_loop
from tests.transports.children import PATIENCE
from tests.transports.heard import Heard

settle = anyio.wait_all_tasks_blocked


class Played:
    """A transport that does what the test says. Without saying so it never receives and sends at once."""

    def __init__(
        self,
        *incoming: object,
        send: Callable[[bytes], Awaitable[None]] | None = None,
        aclose: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.incoming = list(incoming)
        self.sent: list[bytes] = []
        self.seen: list[str] = []
        self._send, self._aclose = send, aclose

    async def receive(self) -> Line:
        if not self.incoming:
            try:
                await anyio.sleep_forever()
            finally:
                self.seen.append("receive stopped")
        what = self.incoming.pop(0)
        if isinstance(what, BaseException):
            raise what
        return what  # type: ignore[return-value]

    async def send(self, message: bytes) -> None:
        if self._send is not None:
            await self._send(message)
        self.sent.append(message)

    async def aclose(self) -> None:
        self.seen.append("closed")
        if self._aclose is not None:
            await self._aclose()


def opened(transport: Transport, limit: int = 1000) -> tuple[TransportChannel, Heard]:
    channel, heard = TransportChannel(transport, current_loop(), limit), Heard()
    channel.open(heard)
    return channel, heard


class Gate:
    """A `send` that waits until the test lets messages through, one for each `let`."""

    def __init__(self) -> None:
        self._tickets = anyio.Semaphore(0)

    async def send(self, message: bytes) -> None:
        await self._tickets.acquire()

    def let(self) -> None:
        self._tickets.release()


async def raise_error(*_: object) -> None:
    raise OSError("the cable is cut")


async def never(*_: object) -> None:
    await anyio.sleep_forever()


async def closed(channel: TransportChannel) -> None:
    """Close a channel in another task, and wait for it: no time-out reaches through the shield of a closing."""
    done = anyio.Event()

    async def close() -> None:
        await channel.aclose()
        done.set()

    current_loop().keep(close())
    with anyio.fail_after(PATIENCE):
        await done.wait()


# ---- both ways


async def test_messages_pass_unchanged_and_in_order_both_ways() -> None:
    transport = Played(b"one", b"two", Oversized(9999, b"{", b"}"))
    channel, heard = opened(transport)
    for message in (b"three", b"four"):
        channel.send(message)
    assert await heard.until(3) == [b"one", b"two", Oversized(9999, b"{", b"}")]
    await settle()
    channel.send(b"five", True)
    await settle()
    assert transport.sent == [b"three", b"four", b"five"]
    assert channel.backlog == 0
    await channel.aclose()


async def test_a_message_over_the_bound_comes_as_its_ends() -> None:
    channel, heard = opened(Played(b"x" * 5000, b"y" * 1000))
    big, fits = await heard.until(2)
    assert isinstance(big, Oversized)
    assert (big.size, fits) == (5000, b"y" * 1000)
    await channel.aclose()


async def test_a_trace_sees_what_passes_and_changes_nothing() -> None:
    seen: list[tuple[str, bytes]] = []
    inner = TransportChannel(Played(b"in", Oversized(9, b"head", b"tail"), EndOfStream()), current_loop(), 100)
    channel, heard = TracedChannel(inner, lambda way, message: seen.append((way, message))), Heard()
    channel.open(heard)
    channel.send(b"out")
    assert channel.backlog == 3
    await channel.drain(1)
    await heard.end()
    assert sorted(seen) == [("->", b"out"), ("<-", b"head"), ("<-", b"in")]
    assert heard.lines[0] == b"in"
    await channel.aclose()


# ---- ends


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (EndOfStream("it hung up"), "it hung up"),
        (EndOfStream(), "the other side closed the connection"),
        (OSError("the cable is cut"), "the transport failed: the cable is cut"),
        (ZeroDivisionError(), "the transport failed: ZeroDivisionError"),
        (ExceptionGroup("two", [OSError("a")]), "the transport failed: two (1 sub-exception)"),
        ("text", "the transport failed: receive() returned str, not bytes"),
        (None, "the transport failed: receive() returned NoneType, not bytes"),
    ],
)
async def test_the_end_of_receiving_is_told_once_with_its_reason(fault: object, reason: str) -> None:
    transport = Played(b"one", fault)
    channel, heard = opened(transport)
    assert await heard.end() == reason
    assert heard.lines == [b"one"]
    channel.send(b"still sent")
    await channel.drain(1)
    await channel.aclose()
    assert transport.sent == [b"still sent"]
    assert heard.ends == [reason]
    assert transport.seen == ["closed"]


async def test_a_transport_that_cannot_send_ends_the_connection_and_is_closed() -> None:
    transport = Played(send=raise_error)
    channel, heard = opened(transport)
    channel.send(b"one")
    channel.send(b"two")
    with anyio.fail_after(PATIENCE):
        await channel.drain(1)
    assert await heard.end() == "the transport cannot send: the cable is cut"
    channel.send(b"three")
    assert channel.backlog == 0
    await channel.aclose()
    assert len(heard.ends) == 1
    assert sorted(transport.seen) == ["closed", "receive stopped"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_transport_whose_own_task_is_cancelled_does_not_leave_the_session_waiting() -> None:
    channel, heard = opened(Played(asyncio.CancelledError()))
    assert await heard.end() == "the transport was cancelled"
    await channel.aclose()


# ---- back-pressure


async def test_a_transport_that_sends_slowly_is_waited_for() -> None:
    gate = Gate()
    transport = Played(send=gate.send)
    channel, _ = opened(transport)
    for _ in range(3):
        channel.send(b"x" * 10)
    await settle()
    assert channel.backlog == 30
    order: list[int] = []

    async def wait(below: int) -> None:
        await channel.drain(below)
        order.append(below)

    async with anyio.create_task_group() as tasks:
        for below in (1, 15, 25):
            tasks.start_soon(wait, below)
        for left in (2, 1, 0):
            await settle()
            assert len(order) == 2 - left
            gate.let()
    assert order == [25, 15, 1]
    await channel.aclose()


# ---- closing


async def test_closing_stops_receiving_and_closes_the_transport_once() -> None:
    transport = Played()
    channel, heard = opened(transport)
    await settle()
    await channel.aclose()
    await channel.aclose()
    assert transport.seen == ["receive stopped", "closed"]
    assert heard.ends == ["closed here"]
    channel.send(b"too late")
    assert channel.backlog == 0


async def test_what_was_sent_before_the_closing_still_leaves() -> None:
    transport = Played()
    channel, _ = opened(transport)
    channel.send(b"farewell")
    await channel.aclose()
    assert transport.sent == [b"farewell"]


async def test_a_channel_that_was_never_opened_closes_its_transport() -> None:
    transport = Played()
    channel = TransportChannel(transport, current_loop(), 100)
    channel.send(b"nobody takes this")
    await channel.aclose()
    assert transport.seen == ["closed"]


async def test_closing_a_channel_right_after_opening_it_delivers_nothing() -> None:
    transport = Played(b"one", b"two")
    channel, heard = opened(transport)
    await channel.aclose()
    assert (heard.lines, heard.ends) == ([], ["closed here"])


async def test_a_transport_that_does_not_take_the_last_words_delays_the_closing_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0)
    transport = Played(send=never)
    channel, _ = opened(transport)
    channel.send(b"farewell")
    await closed(channel)
    assert transport.seen[-1] == "closed"
    assert channel.backlog == 0


async def test_a_transport_that_never_closes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0)
    channel, _ = opened(Played(aclose=never))
    await closed(channel)


async def test_a_transport_that_fails_to_close_is_noted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    channel, _ = opened(Played(aclose=raise_error))
    with caplog.at_level(logging.WARNING, "mcport"):
        await channel.aclose()
    assert "the cable is cut" in caplog.text


async def test_a_closing_that_is_cancelled_closes_the_transport_all_the_same() -> None:
    closed = anyio.Event()

    async def aclose() -> None:
        await anyio.lowlevel.checkpoint()
        closed.set()

    channel, _ = opened(Played(aclose=aclose))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await channel.aclose()
    assert closed.is_set()


async def test_closing_lets_go_of_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0)
    channel, _ = opened(Played(send=never))
    channel.send(b"one")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(channel.drain, 1)
        await settle()
        await channel.aclose()


async def test_a_transport_with_three_verbs_is_a_transport() -> None:
    given: Any = Played()
    assert isinstance(given, Transport)
    assert not isinstance(object(), Transport)
