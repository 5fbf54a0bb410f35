"""A link: asking over a session, and all the ways a call can end."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport.errors import ConnectionLost, InvalidAnswer, RemoteError, Timeout
from mcport.session.link import SessionLink
from tests.session.scripted import Played

settle = anyio.wait_all_tasks_blocked


class Asking:
    """A call in a task of its own, and how it ended."""

    def __init__(self, link: SessionLink, tasks: anyio.abc.TaskGroup, **options: Any) -> None:
        self.outcome: object = None
        self._options = options
        tasks.start_soon(self._ask, link)

    async def _ask(self, link: SessionLink) -> None:
        try:
            self.outcome = await link.ask("work", {"a": 1}, **self._options)
        except Exception as error:
            self.outcome = error


def linked() -> tuple[Played, SessionLink]:
    played = Played()
    return played, SessionLink(played.session, played.channel, server="weather", lost=lost, full=1000)


def lost(phase: str, reason: str, subject: str) -> ConnectionLost:
    line = f"{subject} on weather: {reason}"
    return ConnectionLost(line, server="weather", phase=phase, cause=reason)


async def test_a_call_returns_the_result_as_it_came() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks)
        await settle()
        assert played.channel.sent == [{"jsonrpc": "2.0", "id": 0, "method": "work", "params": {"a": 1}}]
        played.channel.say(b'{"jsonrpc":"2.0","id":0,"result":{"x":[1]}}')
    assert asking.outcome == {"x": [1]}
    assert played.session.peer.calls == 0


async def test_an_error_names_server_phase_and_cause() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks)
        await settle()
        played.channel.say(b'{"jsonrpc":"2.0","id":0,"error":{"code":-5,"message":"no","data":7}}')
    error = asking.outcome
    assert isinstance(error, RemoteError)
    assert (error.code, error.data, error.server, error.phase, error.cause) == (-5, 7, "weather", "work", "no")


async def test_a_broken_answer_fails_the_call_that_it_names() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks)
        await settle()
        played.channel.say(b'{"jsonrpc":"2.0","id":0,"result":{},"error":{"code":1,"message":""}}')
    assert isinstance(asking.outcome, InvalidAnswer)
    assert "both result and error" in str(asking.outcome)


async def test_silence_ends_in_a_timeout_that_withdraws_the_call() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks, seconds=0.01)
    assert isinstance(asking.outcome, Timeout)
    assert isinstance(asking.outcome, TimeoutError)
    assert "no answer within 0.01 s" in str(asking.outcome)
    cancelled = played.channel.sent[1]
    assert cancelled["method"] == "notifications/cancelled"
    assert cancelled["params"]["requestId"] == 0
    played.channel.say(b'{"jsonrpc":"2.0","id":0,"result":{}}')
    assert played.session.over is None


async def test_a_caller_that_is_cancelled_withdraws_its_call() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        Asking(link, tasks)
        await settle()
        tasks.cancel_scope.cancel()
    assert [message["method"] for message in played.channel.sent] == ["work", "notifications/cancelled"]
    assert played.session.peer.calls == 0


async def test_progress_reaches_the_callback_and_its_token_is_the_id() -> None:
    played, link = linked()
    heard: list[tuple[float, float | None, str | None]] = []
    async with anyio.create_task_group() as tasks:
        Asking(link, tasks, on_progress=lambda event: heard.append((event.progress, event.total, event.message)))
        await settle()
        assert played.channel.sent[0]["params"]["_meta"] == {"progressToken": 0}
        note = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":%d}}'
        played.channel.say(note % 1, note % 2, b'{"jsonrpc":"2.0","id":0,"result":{}}')
    played.channel.say(note % 3)
    assert heard == [(1, None, None), (2, None, None)]


async def test_a_failing_progress_callback_fails_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    played, link = linked()

    def fail(event: object) -> None:
        raise ValueError("mine")

    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks, on_progress=fail)
        await settle()
        note = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":1}}'
        played.channel.say(note, b'{"jsonrpc":"2.0","id":0,"result":{}}')
    assert asking.outcome == {}
    assert "mine" in caplog.text


async def test_exactly_the_pending_calls_fail_when_the_connection_is_lost() -> None:
    played, link = linked()
    async with anyio.create_task_group() as tasks:
        first = Asking(link, tasks)
        await settle()
        played.channel.say(b'{"jsonrpc":"2.0","id":0,"result":{}}')
        await settle()
        second, third = Asking(link, tasks), Asking(link, tasks)
        await settle()
        played.channel.end("it exited with code 3")
    assert first.outcome == {}
    for asking in (second, third):
        assert isinstance(asking.outcome, ConnectionLost)
        assert isinstance(asking.outcome, ConnectionError)
        assert "code 3" in str(asking.outcome)


async def test_a_call_after_the_end_says_why_at_once() -> None:
    played, link = linked()
    played.channel.end("it exited with code 3")
    with pytest.raises(ConnectionLost, match="it exited with code 3"):
        await link.ask("work", None)
    link.tell("note")
    assert played.channel.sent == []


async def test_parameters_that_are_no_json_leave_nothing_behind() -> None:
    played, link = linked()
    with pytest.raises(ValueError, match="JSON"):
        await link.ask("work", {"a": object()})
    assert played.channel.sent == []
    assert played.session.peer.calls == 0


@pytest.mark.requirement("cancel.initialize-not-cancelled")
async def test_closing_withdraws_what_is_pending_but_never_initialize() -> None:
    played, link = linked()

    class Waiter:
        lost = ""

        def settle(self, answer: object) -> None:
            raise AssertionError(answer)

        def lose(self, reason: str) -> None:
            self.lost = reason

        def progressed(self, event: object) -> None:
            raise AssertionError(event)

    opening = Waiter()
    _, request = played.session.peer.request("initialize", {}, context=opening)
    played.session.send(request)
    async with anyio.create_task_group() as tasks:
        asking = Asking(link, tasks)
        await settle()
        await link.aclose()
    cancelled = [message["params"]["requestId"] for message in played.channel.sent if "cancelled" in message["method"]]
    assert cancelled == [1]
    assert opening.lost
    assert isinstance(asking.outcome, ConnectionLost)
