"""Progress as a peer keeps it: tokens of both sides, what comes in for our calls, and what may go out for theirs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.events import Asked, Progressed, Stray
from mcport.core.jsonrpc import ErrorResponse, Notification, Request
from mcport.core.peer import PROGRESS, Peer, progress_of
from mcport.errors import INVALID_PARAMS

Params = dict[str, Any]


def asked_by(peer: Peer, id: Any = 1, params: Params | None = None) -> Asked:
    event = peer.receive(Request(id, "tools/call", params))
    assert isinstance(event, Asked)
    return event


def progress(token: object, **more: object) -> Notification:
    return Notification(PROGRESS, {"progressToken": token, "progress": 1, **more})


def with_token(token: object) -> Params:
    return {"_meta": {"progressToken": token}}


def reply_to(peer: Peer, message: Request) -> ErrorResponse | None:
    event = peer.receive(message)
    assert isinstance(event, Stray)
    return event.reply


# ---- tokens of the other side


@pytest.mark.requirement("progress.token-type")
@pytest.mark.parametrize("token", [0, 7, "", "t", 1.0])
def test_a_progress_token_is_a_string_or_an_integer(token: object) -> None:
    asked = asked_by(Peer(), params=with_token(token))
    assert (asked.token, type(asked.token)) == (token, type(token))


@pytest.mark.requirement("progress.token-type", "meta.reserved-no-assumptions")
@pytest.mark.parametrize("token", [None, True, 1.5, float("inf"), [], {}, ["t"]])
def test_a_progress_token_of_another_type_is_refused(token: object) -> None:
    peer = Peer()
    reply = reply_to(peer, Request(3, "tools/call", with_token(token)))
    assert reply is not None
    assert (reply.id, reply.code) == (3, INVALID_PARAMS)
    assert "progressToken" in reply.message
    assert peer.asked == {}


# ---- progress of our calls


@pytest.mark.requirement("progress.token-type", "progress.token-unique")
def test_the_token_of_a_call_is_its_id_and_other_metadata_stays() -> None:
    peer = Peer()
    params = {"name": "add", "_meta": {"a": 1}}
    requests = [peer.request("m", given, progress=True)[1] for given in (None, {}, params, {"_meta": None})]
    metas: list[Any] = [request.params["_meta"] for request in requests]  # type: ignore[index]
    assert [meta["progressToken"] for meta in metas] == [request.id for request in requests] == [0, 1, 2, 3]
    assert metas[2] == {"a": 1, "progressToken": 2}
    assert params == {"name": "add", "_meta": {"a": 1}}


@pytest.mark.parametrize("token", [0, 0.0])
def test_progress_reaches_its_call(token: float) -> None:
    peer = Peer()
    call, _ = peer.request("m", progress=True)
    event = peer.receive(progress(token, total=2.5, message="half"))
    assert isinstance(event, Progressed)
    assert (event.call, event.progress, event.total, event.message) == (call, 1, 2.5, "half")
    event = peer.receive(progress(token, total=None, message=7))
    assert isinstance(event, Progressed)
    assert (event.total, event.message) == (None, None)


@pytest.mark.requirement("meta.reserved-no-assumptions")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"progressToken": 0},
        {"progressToken": 0, "progress": "1"},
        {"progressToken": 0, "progress": True},
        {"progressToken": 0, "progress": float("inf")},
        {"progressToken": 0, "progress": 1, "total": "2"},
        {"progressToken": 0, "progress": 1, "total": float("nan")},
        {"progressToken": "0", "progress": 1},
        {"progressToken": False, "progress": 1},
        {"progressToken": None, "progress": 1},
        {"progressToken": [0], "progress": 1},
        {"progressToken": 1, "progress": 1},
        {"progressToken": 2, "progress": 1},
    ],
)
def test_progress_that_fits_no_call_is_dropped(params: Params) -> None:
    peer = Peer()
    peer.request("m", progress=True)
    peer.request("m")
    assert isinstance(peer.receive(Notification(PROGRESS, params)), Stray)
    assert peer.calls == 2


# ---- progress on requests of the other side


@pytest.mark.requirement("progress.only-active-tokens")
def test_progress_is_reported_with_the_token_of_the_request() -> None:
    asked = asked_by(Peer(), params=with_token("t"))
    assert progress_of(asked, 1, 4, "a quarter") == Notification(
        PROGRESS, {"progressToken": "t", "progress": 1, "total": 4, "message": "a quarter"}
    )
    assert progress_of(asked, 2.5) == Notification(PROGRESS, {"progressToken": "t", "progress": 2.5})


@pytest.mark.requirement("progress.only-active-tokens", "progress.stops-after-completion")
def test_no_progress_without_a_token_nor_after_the_answer() -> None:
    peer = Peer()
    assert progress_of(asked_by(peer, 1), 1) is None
    for close in (lambda asked: peer.answer(asked, {}), lambda asked: peer.refuse(asked, 1, "no"), peer.drop):
        asked = asked_by(peer, 2, params=with_token("t"))
        assert progress_of(asked, 1) is not None
        close(asked)
        assert progress_of(asked, 2) is None


@pytest.mark.requirement("progress.increases")
@given(values=st.lists(st.integers(-3, 3) | st.floats(-3, 3), max_size=12), total=st.none() | st.just(3))
@settings(max_examples=80)
def test_progress_that_goes_out_always_increases(values: list[float], total: float | None) -> None:
    asked = asked_by(Peer(), params=with_token(0))
    sent = [found.params["progress"] for value in values if (found := progress_of(asked, value, total))]  # type: ignore[index]
    assert sent == sorted(set(sent))
    assert not values or sent[:1] == values[:1]
    assert not values or max(values) == sent[-1]


@pytest.mark.parametrize("token", [0, None])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True])
def test_progress_that_is_no_number_is_refused_whether_or_not_it_was_asked_for(value: Any, token: int | None) -> None:
    asked = asked_by(Peer(), params=None if token is None else with_token(token))
    with pytest.raises(ValueError, match="finite"):
        progress_of(asked, value)
    if value is not None:
        with pytest.raises(ValueError, match="finite"):
            progress_of(asked, 1, value)
    assert asked.progress is None
