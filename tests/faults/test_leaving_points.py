"""A client that leaves at any point of a request: the stateless era stops what it asked for, the other one goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from mcport.transports.http.server.post import Post

from .conftest import Noted
from .raw import Connection, head
from .serving import Site

ID = 50

Come = Callable[[Connection, Noted], None]
"""Goes as far as some point of a request."""


def before_the_body(client: Connection, noted: Noted) -> None:
    client.send(client.call("wait", ID).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")


def in_the_body(client: Connection, noted: Noted) -> None:
    client.send(client.call("wait", ID)[:-20])


def before_the_answer(client: Connection, noted: Noted) -> None:
    client.send(client.call("wait", ID))
    assert noted.began.acquire(timeout=5)


def before_an_event_is_read(client: Connection, noted: Noted) -> None:
    client.send(client.call("linger", ID, meta={"progressToken": 1}))
    assert noted.began.acquire(timeout=5)
    assert client.answer().status == 200


def between_events(client: Connection, noted: Noted) -> None:
    before_an_event_is_read(client, noted)
    assert client.told()["method"] == "notifications/progress"


UNREAD: list[Come] = [before_the_body, in_the_body]
RUNNING: list[Come] = [before_the_answer, before_an_event_is_read, between_events]

each_end = pytest.mark.parametrize("end", ["close", "reset"])


@each_end
@pytest.mark.parametrize("point", UNREAD)
@pytest.mark.parametrize("era", ["stateless", "handshake"])
def test_a_request_that_has_not_come_whole_is_never_begun(
    site: Site, noted: Noted, point: Come, era: str, end: str
) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as leaving:
        if era == "handshake":
            leaving.session = owner.open().session
        _leave(site, leaving, noted, point, end)
        assert not noted.began.acquire(blocking=False)
        if era == "handshake":
            assert owner.post(owner.call("add", ID, a=1, b=1)).status == 200
            assert owner.post(head("DELETE", {"Host": "localhost", **owner.session})).status == 204


@each_end
@pytest.mark.parametrize("point", RUNNING)
@pytest.mark.requirement("cancel.http.close-is-cancel", revisions=["2026-07-28"])
def test_a_stateless_request_is_withdrawn_wherever_its_client_leaves(
    site: Site, noted: Noted, point: Come, end: str
) -> None:
    with site.as_it_was(), site.connect() as leaving:
        _leave(site, leaving, noted, point, end)
        site.until(lambda: bool(noted.ended))
        assert noted.ended == ["CancelledError"]


@each_end
@pytest.mark.parametrize("point", RUNNING)
@pytest.mark.requirement("http.disconnect-not-cancel", revisions=["2025-11-25"])
def test_a_request_of_a_session_goes_on_wherever_its_client_leaves_until_it_is_withdrawn(
    site: Site, noted: Noted, point: Come, end: str
) -> None:
    with site.as_it_was(), site.connect() as owner, site.connect() as leaving:
        leaving.session = owner.open().session
        _leave(site, leaving, noted, point, end)
        site.until(lambda: not any(_hears(site)))
        assert owner.post(owner.call("add", a=1, b=1)).status == 200
        assert (site.left().running, noted.ended) == (1, [])
        withdrawn = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": ID}}
        assert owner.post(owner.message(withdrawn)).status == 202
        site.until(lambda: bool(noted.ended))
        assert noted.ended == ["CancelledError"]
        assert owner.post(head("DELETE", {"Host": "localhost", **owner.session})).status == 204


def _hears(site: Site) -> list[bool]:
    """Of each request that runs in a session: whether its client is there, as far as the server knows."""
    running = [each for seat in site.postbox().seats.values() for each in seat.running.values()]
    return [cast("Post", each.outlet)._hears for each in running]


def _leave(site: Site, leaving: Connection, noted: Noted, point: Come, end: str) -> None:
    """Come to a point and leave there; return when the server has noticed."""
    point(leaving, noted)
    if end == "reset":
        leaving.reset()
    else:
        leaving.socket.close()
    site.until(lambda: len(site.runner.server_state.connections) <= 1)
