"""What a host is told of features that the protocol is giving up (2026-07-28 deprecated features)."""

import logging

import pytest

from mcport.client import deprecations
from tests.client.counterpart import HANDSHAKE, result, usual
from tests.client.playing import Wire, client_of
from tests.client.questions import STATELESS, ada, paris, saying

HEAD = "deprecated since protocol version 2026-07-28, and to go: "


@pytest.fixture(autouse=True)
def nothing_was_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(deprecations, "_TOLD", set())
    caplog.set_level(logging.INFO, "mcport.client")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The features that were warned of."""
    lines = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    return [line.removeprefix(HEAD) for line in lines if line.startswith(HEAD)]


@pytest.mark.requirement("roots.deprecated", "sampling.deprecated", "logging.deprecated", revisions=[STATELESS])
async def test_a_host_reads_once_which_of_its_callbacks_the_newest_revision_gives_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        async with client_of(Wire(usual(STATELESS)), STATELESS, roots=[], sample=paris, log=saying(None), elicit=ada):
            pass
    assert told(caplog) == ["roots", "sampling", "log messages of servers"]


@pytest.mark.requirement("logging.deprecated", revisions=[STATELESS])
async def test_a_host_that_asks_for_log_messages_itself_is_warned_once(caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(Wire(usual(STATELESS, {"logging": {}})), STATELESS) as client:
        await client.set_log_level(None)
        assert told(caplog) == []
        await client.set_log_level("debug")
        await client.set_log_level("error")
    assert told(caplog) == ["log messages of servers"]


async def test_a_host_without_such_callbacks_and_one_that_speaks_an_older_revision_read_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client_of(Wire(usual(STATELESS)), STATELESS, elicit=ada):
        pass
    for revision in HANDSHAKE:
        wire = Wire({**usual(revision, {"logging": {}}), "logging/setLevel": [result({})]})
        async with client_of(wire, revision, roots=[], sample=paris, log=saying(None)) as client:
            await client.set_log_level("debug")
    assert "deprecated" not in caplog.text
