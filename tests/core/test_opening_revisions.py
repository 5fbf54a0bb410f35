"""Which revision a client opens in: the newest in common, what is demanded, what is remembered; and what is said."""

from __future__ import annotations

import pytest

from mcport.core.dialects.opening import (
    NoCommonRevision,
    Opened,
    OpeningRefused,
    Outcome,
    Refused,
    Replied,
    ServerGone,
    newest_common,
    supported_names,
)
from mcport.spec.revisions import HANDSHAKE, STATELESS, Revision
from tests.core.opening_script import (
    DONE,
    META,
    PROBE,
    PROBE_HTTP,
    R03,
    R06,
    R11,
    R24,
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

# ---- which revision


def test_the_newest_in_common_is_taken_from_a_discover_result() -> None:
    client = approach(revisions=(R27, R26, *HANDSHAKE))
    assert play(client, discovered("2025-11-25", "2026-07-28", "2027-01-01")).opened == "2027-01-01"
    assert play(client, discovered("2026-07-28", "2028-01-01")).opened == "2026-07-28"


@pytest.mark.parametrize("listed", [discovered("2028-01-01", "2025-06-18"), probe_refused(-32022, 400, ["2025-06-18"])])
def test_if_only_handshake_is_in_common_initialize_offers_just_that(listed: Answer) -> None:
    played = play(approach(http=True), listed, initialized("2025-06-18"))
    assert played.steps == [*PROBE_HTTP, "initialize 2025-06-18", "wait long for initialize", *DONE]


@pytest.mark.parametrize("names", [["2028-01-01"], [], None, "2026-07-28", [7]])
def test_nothing_in_common_is_a_failure_that_names_both(names: object) -> None:
    played = play(approach(revisions=(R26, R11)), probe_refused(-32022, supported=names))
    assert isinstance(played.end, NoCommonRevision)
    assert played.end.ours == ("2026-07-28", "2025-11-25")
    theirs = "the server speaks 2028-01-01" if names == ["2028-01-01"] else "the server does not say what it speaks"
    assert str(played.end) == f"server/discover: {theirs}; this client speaks 2026-07-28, 2025-11-25"


def test_every_stateless_revision_can_be_asked_for_and_one_of_them_twice() -> None:
    client = approach(revisions=(R27, R26, R11))
    again = probe_refused(-32022, supported=["2026-07-28"])
    assert play(client, again, again, discovered("2026-07-28")).opened == "2026-07-28"


def test_a_server_that_proved_stateless_and_ends_is_not_opened_with_initialize() -> None:
    client = approach(revisions=(R27, R26, R11))
    played = play(client, probe_refused(-32022, supported=["2026-07-28"]), gone)
    assert isinstance(played.end, ServerGone)
    assert "restart" not in played.steps


def test_a_server_that_refuses_what_it_lists_is_not_asked_for_ever() -> None:
    again = probe_refused(-32022, supported=["2026-07-28"])
    played = play(approach(), again, again)
    assert "refuses 2026-07-28 and lists it" in str(played.end)


@pytest.mark.parametrize("version", [revision.name for revision in HANDSHAKE])
def test_initialize_offers_the_latest_and_takes_what_the_server_returns(version: str) -> None:
    played = play(approach(revisions=HANDSHAKE), initialized(version))
    assert (played.steps, played.opened) == ([*SHAKE, *DONE], version)


@pytest.mark.parametrize("version", ["2026-07-28", "2023-01-01", ""])
def test_initialize_fails_over_a_version_that_this_client_or_that_era_has_not(version: str) -> None:
    played = play(approach(), probe_refused(-32601), initialized(version))
    assert played.steps == [*PROBE, *SHAKE]
    assert isinstance(played.end, NoCommonRevision)
    assert played.end.theirs == (version,)


def test_initialize_fails_over_a_result_without_version() -> None:
    played = play(approach(), probe_refused(-32601), replied("initialize", {"capabilities": {}}))
    assert str(played.end) == "initialize: the server's result names no protocolVersion"


def test_an_error_of_initialize_that_lists_versions_is_taken_up_once() -> None:
    refusal = initialize_refused(-32602, supported=["2025-03-26", "2024-11-05"])
    played = play(approach(), probe_refused(-32601), refusal, initialized("2025-03-26"))
    assert played.steps == [*PROBE, *SHAKE, "initialize 2025-03-26", "wait long for initialize", *DONE]
    played = play(approach(), probe_refused(-32601), refusal, initialize_refused(-32602, supported=["2024-11-05"]))
    assert str(played.end).endswith("error -32602 'because', supported: 2024-11-05")


def test_an_error_of_initialize_that_lists_what_was_offered_or_unknown_versions_is_a_failure() -> None:
    for supported in (["2025-11-25"], ["1.0"], ["2026-07-28"]):
        played = play(approach(), probe_refused(-32601), initialize_refused(-32602, supported=supported))
        assert isinstance(played.end, OpeningRefused)
        assert supported[0] in str(played.end)


# ---- what is demanded, spoken, remembered


@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.parametrize("http", [False, True])
def test_a_demanded_handshake_revision_is_offered_without_a_probe(revision: Revision, http: bool) -> None:
    client = approach(http=http, demanded=revision, remembered=R26)
    played = play(client, initialized(revision.name))
    assert played.steps == [f"initialize {revision.name}", "wait long for initialize", *DONE]
    assert played.opened == revision.name


def test_a_demanded_handshake_revision_must_be_what_the_server_returns() -> None:
    played = play(approach(demanded=R06), initialized("2025-03-26"))
    assert str(played.end) == ("initialize: the server speaks 2025-03-26; this client is to speak only 2025-06-18")
    played = play(approach(demanded=R06), initialize_refused(-32602, supported=["2025-03-26"]))
    assert isinstance(played.end, OpeningRefused)


@pytest.mark.parametrize("http", [False, True])
def test_a_demanded_stateless_revision_is_opened_with_discover_and_never_with_initialize(http: bool) -> None:
    client = approach(http=http, demanded=R26, remembered=R11)
    assert play(client, discovered("2026-07-28")).steps == PROBE_HTTP
    for answer in (probe_refused(-32601, 404), probe_refused(-32022, 400, ["2025-11-25"]), discovered("2025-11-25")):
        played = play(client, answer)
        assert played.steps == PROBE_HTTP
        assert isinstance(played.end, NoCommonRevision)
        assert "this client is to speak only 2026-07-28" in str(played.end)
    assert isinstance(play(client, gone).end, ServerGone)
    assert play(client, silent).steps == PROBE_HTTP


@pytest.mark.requirement("era.stdio.modern-only-probe")
def test_a_client_of_the_stateless_era_alone_probes_too_and_fails_clearly() -> None:
    played = play(approach(revisions=STATELESS), probe_refused(-32601))
    assert played.steps == PROBE_HTTP
    assert str(played.end) == (
        "server/discover: the server answered error -32601 'because', as one does that wants `initialize`; "
        "this client speaks 2026-07-28"
    )


def test_a_client_of_the_handshake_era_alone_does_not_probe() -> None:
    assert play(approach(revisions=(R03, R24)), initialized("2024-11-05")).steps[0] == "initialize 2025-03-26"


def test_a_remembered_stateless_revision_is_probed_with() -> None:
    client = approach(revisions=(R27, R26, R11), remembered=R26)
    assert play(client, discovered("2026-07-28")).steps == PROBE
    assert play(client, probe_refused(-32601), initialized("2025-11-25")).opened == "2025-11-25"


def test_a_remembered_handshake_server_is_not_probed() -> None:
    played = play(approach(remembered=R24), initialized("2025-11-25"))
    assert (played.steps, played.opened) == ([*SHAKE, *DONE], "2025-11-25")


@pytest.mark.parametrize("http", [False, True])
def test_if_what_was_remembered_fails_the_server_is_probed(http: bool) -> None:
    client = approach(http=http, remembered=R11)
    played = play(client, initialize_refused(-32601, 404 if http else None), discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*SHAKE, *(PROBE_HTTP if http else PROBE)], "2026-07-28")


def test_if_what_was_remembered_fails_by_exit_the_server_is_started_again_and_probed() -> None:
    played = play(approach(remembered=R11), gone, ready, discovered("2026-07-28"))
    assert (played.steps, played.opened) == ([*SHAKE, "restart", *PROBE], "2026-07-28")
    played = play(approach(remembered=R11), gone, ready, gone)
    assert isinstance(played.end, ServerGone)
    assert isinstance(play(approach(http=True, remembered=R11), gone).end, ServerGone)


def test_if_what_was_remembered_fails_for_want_of_authorization_nothing_is_probed() -> None:
    played = play(approach(http=True, remembered=R11), initialize_refused(None, 401))
    assert played.steps == SHAKE
    assert isinstance(played.end, OpeningRefused)


def test_http_sse_is_tried_for_a_remembered_server_once_the_probe_says_handshake() -> None:
    client = approach(http=True, remembered=R11)
    no = initialize_refused(None, 405)
    played = play(client, no, probe_refused(None, 405), no, ready, initialized("2024-11-05"))
    assert played.steps == [*SHAKE, *PROBE_HTTP, *SHAKE, "downgrade", *SHAKE, *DONE]


def test_a_remembered_revision_that_this_client_does_not_speak_is_no_hint() -> None:
    assert play(approach(revisions=(R26, R11), remembered=R24), discovered("2026-07-28")).steps == PROBE


def test_a_client_that_speaks_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one revision"):
        play(approach(revisions=()))


# ---- what is said


def test_each_era_is_asked_in_its_own_words() -> None:
    probe, initialize = play(approach(), probe_refused(-32601), initialized("2025-11-25")).sent
    assert probe.params == {
        "_meta": {
            META + "protocolVersion": "2026-07-28",
            META + "clientInfo": {"name": "client", "version": "2026-07-28"},
            META + "clientCapabilities": {"sampling": {}},
        }
    }
    assert initialize.params == {
        "protocolVersion": "2025-11-25",
        "capabilities": {"roots": {}},
        "clientInfo": {"name": "client", "version": "2025-11-25"},
    }
    assert probe.key != initialize.key


def opened(*answers: Answer) -> Opened:
    end = play(approach(), *answers).end
    assert isinstance(end, Opened)
    return end


def test_what_the_server_says_of_itself_is_read_wherever_it_stands() -> None:
    info = {"name": "s", "version": "2"}
    said = opened(discovered("2026-07-28", _meta={META + "serverInfo": info}, instructions="be kind"))
    assert (said.server_info, said.capabilities, said.instructions) == (info, {"tools": {}}, "be kind")
    assert said.supported == ("2026-07-28",)
    assert said.raw["supportedVersions"] == ["2026-07-28"]
    assert opened(discovered("2026-07-28", serverInfo=info)).server_info == info
    said = opened(probe_refused(-32601), initialized("2025-11-25", instructions="x"))
    assert (said.server_info, said.instructions) == ({"name": "s", "version": "1"}, "x")
    assert (said.supported, said.capabilities) == (("2025-11-25",), {})


@pytest.mark.parametrize("odd", [None, 3, "x", []])
def test_members_of_the_wrong_shape_count_as_absent(odd: object) -> None:
    said = opened(discovered("2026-07-28", capabilities=odd, serverInfo=odd, _meta=odd, instructions=[odd]))
    assert (said.server_info, said.capabilities, said.instructions) == (None, {}, None)


def unasked(_: dict[str, str]) -> Outcome:
    return Replied("no such key", {"supportedVersions": ["2026-07-28"]})


def test_an_answer_to_what_was_never_asked_or_is_already_answered_is_dropped() -> None:
    again = probe_refused(-32022, supported=["2026-07-28"])
    played = play(approach(), unasked, probe_refused(-32601), unasked, again, initialized("2025-11-25"))
    assert played.steps == [*PROBE, PROBE[1], *SHAKE, SHAKE[1], SHAKE[1], *DONE]


def test_names_of_versions_are_read_with_care() -> None:
    assert supported_names(["a", 1, None, "b"]) == ("a", "b")
    assert supported_names({"a": 1}) == supported_names(None) == supported_names("ab") == ()
    assert newest_common((R26, R11), ["2025-11-25", "x"]) is R11
    assert newest_common((R26, R11), []) is None


def test_a_refusal_is_told_in_a_few_words() -> None:
    assert str(Refused("k", -32601, "no\nsuch method")) == r"error -32601 'no\nsuch method'"
    assert str(Refused("k", None, http_status=404)) == "HTTP 404, no JSON-RPC error"
    assert str(Refused("k", None, "the result is not an object")) == "the result is not an object"
    assert (
        str(Refused("k", -32022, "x", {"supported": ["a", "b"]}, 400)) == "HTTP 400, error -32022 'x', supported: a, b"
    )
    assert len(str(Refused("k", 1, "x" * 10_000))) < 250
