"""The rules of the base protocol, judged by what a counterpart read from our client, in memory and over stdio."""

from collections.abc import Callable
from typing import Any

import pytest

from mcport import Cancelled, RemoteError, Timeout
from mcport.spec.revisions import REVISIONS
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS
from tests.client.playing import of
from tests.client.transcripts import CHANNELS, LOOPS, PINGS, WRONG_BATCH, Transcript, transcript

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


@pytest.fixture(params=CHANNELS)
def channel(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def record(revision: str, channel: str, loop: str) -> Transcript:
    return transcript(revision, channel, loop)


def revisions(*names: str) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("revision", names)


every, handshake, stateless = revisions(*ALL), revisions(*HANDSHAKE), revisions(*STATELESS)


def token(message: Any) -> Any:
    """The progress token of a request, if it has one."""
    return message.get("params", {}).get("_meta", {}).get("progressToken")


# ---- bytes and messages


@every
@pytest.mark.requirement("stdio.no-embedded-newlines")
def test_each_message_is_one_line(record: Transcript) -> None:
    for line in record.lines:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert b"\r" not in line
    assert record.call("last \u00e9\n\u2028")["params"]["arguments"] == {"text": "\u00e9\n\r\u0085"}


@every
@pytest.mark.requirement("transport.utf-8", revisions=["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
def test_text_is_written_as_utf_8_and_other_bytes_are_refused_without_harm(record: Transcript) -> None:
    assert record.call("last \u00e9\n\u2028")["params"]["name"] == "last \u00e9\n\u2028"
    [said] = of(record.notifications, "com.example/done")
    assert said["params"]["text"] == "two\nlines \u2028 \u00e9 \U0001f600"
    assert any("\u00e9".encode() in line for line in record.lines)
    assert 902 not in [answer["id"] for answer in record.answers]
    assert record.told["odd"] == "odd"


@every
@pytest.mark.requirement("base.jsonrpc-2.0")
@pytest.mark.requirement("stdio.stdin-only-messages")
def test_nothing_but_json_rpc_messages_is_written(record: Transcript) -> None:
    for message in record.messages:
        assert type(message) is dict
        assert message["jsonrpc"] == "2.0"
        kinds = {frozenset(keys) for keys in (["method", "id"], ["method"], ["id", "result"], ["id", "error"])}
        assert frozenset(message.keys() - {"jsonrpc", "params"}) in kinds
    assert 900 not in [answer["id"] for answer in record.answers]


@every
@pytest.mark.requirement("base.request.id-string-or-integer")
@pytest.mark.requirement("base.request.id-not-null")
def test_requests_have_an_integer_id_and_requests_with_another_are_refused(record: Transcript) -> None:
    assert {type(request["id"]) for request in record.requests} == {int}
    assert record.told["odd"] == "odd"
    assert {type(answer["id"]) for answer in record.answers if "result" in answer} <= {int, str}
    assert not [answer for answer in record.answers if answer["id"] in (None, True, 1.5) and "result" in answer]


@every
@pytest.mark.requirement("base.request.id-unique-in-session", revisions=HANDSHAKE)
@pytest.mark.requirement("base.request.id-unique-in-flight", revisions=STATELESS)
def test_no_id_is_used_twice(record: Transcript) -> None:
    ids = [request["id"] for request in record.requests]
    assert len(ids) > 10
    assert len({*ids}) == len(ids)


@every
@pytest.mark.requirement("base.notification.no-id")
@pytest.mark.requirement("base.notification.no-response")
def test_notifications_have_no_id_and_are_never_answered(record: Transcript) -> None:
    said = {message["method"] for message in record.notifications}
    opened = {"notifications/initialized"} if record.told["revision"] in HANDSHAKE else set()
    assert said == {"notifications/cancelled", "com.example/done", *opened}
    # A "ping" without an id is a notification like any other.
    answered = [answer["id"] for answer in record.answers]
    assert None not in answered
    assert len(answered) == len({*map(repr, answered)})


@handshake
@pytest.mark.requirement("base.response.result-or-error", revisions=["2024-11-05", "2025-03-26", "2025-06-18"])
@pytest.mark.requirement("base.response.not-both", revisions=["2024-11-05", "2025-03-26", "2025-06-18"])
def test_an_answer_has_a_result_or_an_error_and_one_with_both_is_refused(record: Transcript) -> None:
    assert len(record.answers) > 5
    for answer in record.answers:
        assert ("result" in answer) != ("error" in answer)
    assert record.told["odd"] == "odd"


@handshake
@pytest.mark.requirement("ping.answered-promptly")
@pytest.mark.requirement("base.result.same-id")
def test_a_ping_is_answered_with_an_empty_result_and_its_own_id(record: Transcript) -> None:
    answers = [answer for answer in record.answers if "result" in answer]
    for id in PINGS:
        assert [answer["result"] for answer in answers if answer["id"] == id and type(answer["id"]) is type(id)] == [{}]


@handshake
@pytest.mark.requirement("base.error.same-id")
def test_what_was_not_declared_is_answered_with_method_not_found(record: Transcript) -> None:
    errors = {answer["id"]: answer["error"]["code"] for answer in record.answers if "error" in answer}
    assert {id: errors[id] for id in ("r", "s", "x")} == {"r": -32601, "s": -32601, "x": -32601}


@stateless
@pytest.mark.requirement("stdio.client-no-responses")
@pytest.mark.requirement("transport.directions")
def test_in_the_stateless_era_no_request_of_a_server_is_answered(record: Transcript) -> None:
    assert record.answers == []
    assert record.told["asking"] == "asked"


@revisions("2025-03-26")
@pytest.mark.requirement("batch.receive")
@pytest.mark.requirement("batch.stdio-line")
@pytest.mark.requirement("batch.initialize-alone")
def test_a_batch_is_handled_as_if_each_member_came_alone_and_initialize_is_refused(record: Transcript) -> None:
    answers = {answer["id"]: answer for answer in record.answers if str(answer["id"]).startswith("b-")}
    assert (answers["b-1"]["result"], answers["b-3"]["result"]) == ({}, {})
    assert not [id for id in ("b-2", "b-4") if "result" in answers.get(id, {})]
    assert record.told["batch"] == "in a batch"
    assert "initialize" in [member["method"] for member in WRONG_BATCH]
    assert all(type(message) is dict for message in record.messages)


# ---- lifecycle


@handshake
@pytest.mark.requirement("lifecycle.initialize-first")
@pytest.mark.requirement("lifecycle.initialize-contents")
@pytest.mark.requirement("lifecycle.initialized-notification")
@pytest.mark.requirement("lifecycle.version.client-supported")
@pytest.mark.requirement("base.support-core-lifecycle")
def test_initialize_comes_first_with_its_members_and_then_initialized(record: Transcript) -> None:
    first, second = record.messages[:2]
    assert (first["method"], second["method"]) == ("initialize", "notifications/initialized")
    assert {"protocolVersion", "capabilities", "clientInfo"} == first["params"].keys()
    assert {"name", "version"} <= first["params"]["clientInfo"].keys()
    assert first["params"]["protocolVersion"] in REVISIONS
    assert first["params"]["protocolVersion"] == record.told["revision"]
    assert len(of(record.messages, "initialize")) == 1


@stateless
@pytest.mark.requirement("meta.request.required-fields")
@pytest.mark.requirement("base.support-core-stateless")
def test_every_stateless_request_says_for_itself_who_asks_and_in_which_revision(record: Transcript) -> None:
    assert len(record.requests) > 10
    for request in record.requests:
        meta = request["params"]["_meta"]
        assert (meta[VERSION], meta[CAPABILITIES]) == (record.told["revision"], {})
    assert record.messages[0]["method"] == "server/discover"


# ---- cancellation


@every
@pytest.mark.requirement("cancel.only-own-in-flight")
@pytest.mark.requirement("cancel.request-id-present")
@pytest.mark.requirement("cancel.stdio.notification", revisions=STATELESS)
def test_what_was_withdrawn_is_cancelled_by_its_id_and_nothing_else_is(record: Transcript) -> None:
    cancelled = [message["params"]["requestId"] for message in of(record.notifications, "notifications/cancelled")]
    assert cancelled == [record.call(tool)["id"] for tool in ("first", "dropped", "late")]


@every
@pytest.mark.requirement("cancel.races")
@pytest.mark.requirement("cancel.ignore-late-response")
def test_an_answer_that_crosses_with_a_cancellation_changes_nothing(record: Transcript) -> None:
    assert type(record.told["first"]) is Cancelled
    assert type(record.told["dropped"]) is Cancelled
    assert type(record.told["late"]) is Timeout
    assert record.told["third again"] == "done"


@handshake
@pytest.mark.requirement("cancel.initialize-not-cancelled")
def test_initialize_is_never_cancelled(record: Transcript) -> None:
    [opening] = of(record.requests, "initialize")
    cancelled = [message["params"]["requestId"] for message in of(record.notifications, "notifications/cancelled")]
    assert opening["id"] not in cancelled


# ---- progress


@every
@pytest.mark.requirement("progress.token-type")
@pytest.mark.requirement("progress.token-unique")
def test_progress_tokens_are_integers_or_strings_and_never_shared(record: Transcript) -> None:
    tokens = [token(request) for request in record.requests if token(request) is not None]
    assert len(tokens) == 3
    assert {type(each) for each in tokens} <= {int, str}
    assert len({*tokens}) == len(tokens)


@every
def test_progress_is_heard_until_the_answer_and_not_after(record: Transcript) -> None:
    assert record.told["reports"] == [1, 2]
    assert (record.told["watched"], record.told["second"]) == ("watched", "second")


# ---- errors


@every
@pytest.mark.requirement("error-codes.legacy-range-no-meaning", revisions=STATELESS)
def test_an_error_code_without_meaning_is_passed_on_as_it_is(record: Transcript) -> None:
    fault = record.told["failing"]
    assert type(fault) is RemoteError
    assert (fault.code, fault.message, fault.data) == (-32005, "Not today", {"until": "friday"})


@every
def test_a_second_answer_to_the_same_request_is_ignored(record: Transcript) -> None:
    assert record.told["twice"] == "once"
    assert record.told["batch"] in ("in a batch", "alone")
