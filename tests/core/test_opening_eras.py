"""How a client finds out which era it faces: each kind of answer, on a stream and over HTTP."""

from __future__ import annotations

import pytest

from mcport.core.dialects.opening import OpeningRefused, ServerGone
from mcport.spec.revisions import HANDSHAKE
from tests.core.opening_script import (
    DONE,
    PROBE,
    PROBE_HTTP,
    R26,
    R27,
    SHAKE,
    Answer,
    approach,
    discovered,
    gone,
    initialize_refused,
    initialized,
    play,
    probe_refused,
    ready,
    replied,
    silent,
)

# ---- eras.md section 2, stdio


def test_stdio_a_discover_result_means_stateless() -> None:
    played = play(approach(), discovered("2026-07-28", "2025-11-25"))
    assert (played.steps, played.opened) == (PROBE, "2026-07-28")


def test_stdio_unsupported_version_is_asked_again_in_another_and_never_falls_back() -> None:
    client = approach(revisions=(R27, R26, *HANDSHAKE))
    played = play(client, probe_refused(-32022, supported=["2026-07-28", "2025-11-25"]), discovered("2026-07-28"))
    assert played.steps == ["server/discover 2027-01-01", "wait 5.0 for server/discover", *PROBE_HTTP]
    assert played.opened == "2026-07-28"


@pytest.mark.parametrize("code", [-32020, -32021])
def test_stdio_other_stateless_errors_never_lead_to_initialize(code: int) -> None:
    played = play(approach(), probe_refused(code))
    assert played.steps == PROBE
    assert isinstance(played.end, OpeningRefused)
    assert played.end.refused.code == code


@pytest.mark.parametrize("code", [-32601, -32602, -32600, -32603, -32002, -32001, -32003, -32004, -32019, -32023, 0, 1])
def test_stdio_any_other_error_means_handshake(code: int) -> None:
    played = play(approach(), probe_refused(code), initialized("2025-11-25"))
    assert (played.steps, played.opened) == ([*PROBE, *SHAKE, *DONE], "2025-11-25")


@pytest.mark.parametrize("names", [None, [], "2026-07-28", [1], {"2026-07-28": {}}])
def test_stdio_a_result_that_is_no_discover_result_means_handshake(names: object) -> None:
    for result in ({}, {"supportedVersions": names}):
        played = play(approach(), replied("server/discover", result), initialized("2024-11-05"))
        assert (played.steps, played.opened) == ([*PROBE, *SHAKE, *DONE], "2024-11-05")


RACE = [*PROBE, "initialize 2025-11-25", "wait long for server/discover and initialize"]


def test_stdio_silence_leads_to_initialize_on_the_same_process_and_a_late_answer_is_dropped() -> None:
    played = play(approach(), silent, initialized("2025-06-18"))
    assert (played.steps, played.opened) == ([*RACE, "forget server/discover", *DONE], "2025-06-18")


def test_stdio_how_long_is_silence_is_a_setting() -> None:
    assert play(approach(seconds=0.5), discovered("2026-07-28")).steps[1] == "wait 0.5 for server/discover"


def test_stdio_a_late_discover_result_wins_over_initialize() -> None:
    played = play(approach(), silent, discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*RACE, "forget initialize"], "2026-07-28")


def test_stdio_a_late_error_leaves_the_initialize_that_is_under_way() -> None:
    played = play(approach(), silent, probe_refused(-32601), initialized("2025-11-25"))
    assert (played.steps, played.opened) == ([*RACE, "wait long for initialize", *DONE], "2025-11-25")


def test_stdio_a_late_unsupported_version_forgets_initialize() -> None:
    played = play(approach(), silent, probe_refused(-32022, supported=["2026-07-28"]), discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*RACE, "forget initialize", *PROBE_HTTP], "2026-07-28")


def test_stdio_a_late_answer_with_only_handshake_in_common_uses_the_initialize_that_is_under_way() -> None:
    played = play(approach(), silent, discovered("2027-01-01", "2025-06-18"), initialized("2025-06-18"))
    assert (played.steps, played.opened) == ([*RACE, "wait long for initialize", *DONE], "2025-06-18")


@pytest.mark.parametrize(("code", "patience"), [(-32601, "5.0"), (-32022, "long"), (None, "5.0")])
def test_stdio_when_initialize_fails_first_the_probe_is_waited_for(code: int | None, patience: str) -> None:
    played = play(approach(), silent, initialize_refused(code), discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*RACE, f"wait {patience} for server/discover"], "2026-07-28")


@pytest.mark.parametrize("last", [silent, gone, probe_refused(-32601), discovered("2025-11-25")])
def test_stdio_when_initialize_and_the_probe_both_fail_the_error_is_that_of_initialize(last: Answer) -> None:
    played = play(approach(), silent, initialize_refused(-32603), last)
    assert isinstance(played.end, OpeningRefused)
    assert str(played.end) == "initialize: the server answered error -32603 'because'"


def test_stdio_a_process_that_exits_is_started_again_and_opened_with_initialize() -> None:
    for first in ([gone], [silent, gone]):
        played = play(approach(), *first, ready, initialized("2025-11-25"))
        assert played.steps == [*(RACE if len(first) > 1 else PROBE), "restart", *SHAKE, *DONE]


def test_stdio_a_process_that_exits_again_or_does_not_start_is_a_failure() -> None:
    for rest in ([ready, gone], [gone]):
        played = play(approach(), gone, *rest)
        assert isinstance(played.end, ServerGone)
        assert played.end.reason == "exit code 1"


# ---- eras.md section 2, Streamable HTTP


def test_http_a_discover_result_means_stateless() -> None:
    played = play(approach(http=True), discovered("2026-07-28"))
    assert (played.steps, played.opened) == (PROBE_HTTP, "2026-07-28")


def test_http_400_with_unsupported_version_is_asked_again_with_one_that_is_listed() -> None:
    # Also with the one that was asked for: a server may refuse the first request and list the same version.
    played = play(approach(http=True), probe_refused(-32022, 400, ["2026-07-28"]), discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*PROBE_HTTP, *PROBE_HTTP], "2026-07-28")


@pytest.mark.parametrize("code", [-32020, -32021])
def test_http_400_with_another_stateless_error_never_leads_to_initialize(code: int) -> None:
    played = play(approach(http=True), probe_refused(code, 400))
    assert played.steps == PROBE_HTTP
    assert str(played.end) == f"server/discover: the server answered HTTP 400, error {code} 'because'"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((None, status) for status in (200, 202, 400, 404, 405, 406, 415)),
        *((-32601, 200), (-32602, 200), (-32600, 400), (-32000, 400), (-32601, 404)),
    ],
)
def test_http_any_other_answer_of_the_server_means_handshake(code: int | None, status: int) -> None:
    played = play(approach(http=True), probe_refused(code, status), initialized("2025-11-25"))
    assert (played.steps, played.opened) == ([*PROBE_HTTP, *SHAKE, *DONE], "2025-11-25")


@pytest.mark.parametrize("status", [400, 404, 405])
def test_http_when_initialize_fails_likewise_http_sse_is_tried(status: int) -> None:
    client = approach(http=True)
    played = play(
        client, probe_refused(None, status), initialize_refused(None, status), ready, initialized("2024-11-05")
    )
    assert (played.steps, played.opened) == ([*PROBE_HTTP, *SHAKE, "downgrade", *SHAKE, *DONE], "2024-11-05")


def test_http_when_http_sse_is_not_there_either_the_error_is_that_of_initialize() -> None:
    played = play(approach(http=True), probe_refused(None, 404), initialize_refused(None, 404), gone)
    assert isinstance(played.end, OpeningRefused)
    assert str(played.end) == "initialize: the server answered HTTP 404, no JSON-RPC error"
    assert str(played.end.__cause__) == "HTTP+SSE: exit code 1"


def test_http_sse_is_tried_once_and_not_after_other_refusals() -> None:
    client = approach(http=True)
    twice = play(
        client, probe_refused(None, 404), initialize_refused(None, 404), ready, initialize_refused(-32603, 400)
    )
    assert isinstance(twice.end, OpeningRefused)
    for code, status in ((None, 410), (None, 200), (-32020, 400), (-32022, 400), (-32603, None)):
        played = play(client, probe_refused(None, 404), initialize_refused(code, status))
        assert isinstance(played.end, OpeningRefused)


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503, 302])
def test_http_what_says_nothing_of_the_era_is_a_failure(status: int) -> None:
    played = play(approach(http=True), probe_refused(-32601, status))
    assert played.steps == PROBE_HTTP
    assert isinstance(played.end, OpeningRefused)
    assert played.end.refused.http_status == status


def test_http_a_stateless_error_proves_the_era_whatever_its_status() -> None:
    played = play(approach(http=True), probe_refused(-32022, 500, ["2026-07-28"]), discovered("2026-07-28"))
    assert played.opened == "2026-07-28"


def test_http_a_lost_connection_is_a_failure_and_nothing_is_restarted() -> None:
    played = play(approach(http=True), gone)
    assert isinstance(played.end, ServerGone)
    assert (played.steps, str(played.end)) == (PROBE_HTTP, "server/discover: exit code 1")
    assert isinstance(play(approach(http=True), probe_refused(-32601, 404), gone).end, ServerGone)


def test_http_a_driver_that_gives_up_waiting_is_told_what_it_waited_for() -> None:
    assert str(play(approach(http=True), silent).end) == "server/discover: the server did not answer"
    played = play(approach(http=True), probe_refused(-32601, 404), silent)
    assert str(played.end) == "initialize: the server did not answer"
