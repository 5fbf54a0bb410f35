"""Opening a conversation of the handshake era: which revision is agreed, what is answered, how batches are taken."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest

from mcport.core.dialects.contract import Conversation, Offer
from mcport.core.dialects.handshake import handshake_revisions, initialize, take_apart
from mcport.core.jsonrpc import (
    Batch,
    ErrorResponse,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
)
from mcport.errors import INVALID_PARAMS, INVALID_REQUEST, ProtocolError
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS, STATELESS, Revision

OLD = [revision.name for revision in HANDSHAKE]
NEW = [revision.name for revision in STATELESS]
BATCHING = [revision.name for revision in HANDSHAKE if revision.allows_batches]

CLIENT = {"name": "c", "version": "1", "title": "C", "unknown": [1]}


def offer(*names: str, instructions: str | None = None) -> Offer:
    """An offer of these revisions, of all without any; capabilities and identity tell the revision."""
    revisions = {name: revision for name, revision in REVISIONS.items() if name in (names or REVISIONS)}
    return Offer(
        revisions,
        info=lambda revision: {"name": "s", "version": revision.name},
        capabilities=lambda revision: {"tools": {}, "for": revision.name},
        instructions=instructions,
    )


def wish(version: object, **more: object) -> dict[str, Any]:
    return {"protocolVersion": version, "capabilities": {"roots": {}}, "clientInfo": CLIENT, **more}


def fault(offered: Offer, conversation: Conversation, params: dict[str, Any]) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        initialize(offered, conversation, params)
    return caught.value


@pytest.mark.parametrize("revision", HANDSHAKE, ids=attrgetter("name"))
@pytest.mark.requirement("lifecycle.version.same-if-supported", "lifecycle.initialize-result")
def test_a_version_that_is_served_is_agreed(revision: Revision) -> None:
    conversation = Conversation()
    assert initialize(offer(), conversation, wish(revision.name)) == {
        "protocolVersion": revision.name,
        "capabilities": {"tools": {}, "for": revision.name},
        "serverInfo": {"name": "s", "version": revision.name},
    }
    opened = conversation.opened
    assert opened is not None
    assert (opened.revision, opened.client_info, opened.client_capabilities) == (revision, CLIENT, {"roots": {}})
    assert (opened.log_level, conversation.initialized) == ("info", False)
    assert conversation.declared == {"tools": {}, "for": revision.name}


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("lifecycle.initialize-result")
def test_instructions_are_given_where_there_are_any(revision: str) -> None:
    assert initialize(offer(instructions="Be kind."), Conversation(), wish(revision))["instructions"] == "Be kind."
    assert initialize(offer(instructions=""), Conversation(), wish(revision))["instructions"] == ""
    assert "instructions" not in initialize(offer(), Conversation(), wish(revision))


@pytest.mark.parametrize("asked", [*NEW, "2024-10-07", "1.0", "", "2099-01-01", " 2025-11-25", "2025-11-25\n"])
@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("lifecycle.version.other-if-not")
@pytest.mark.requirement("lifecycle.version.server-latest")
def test_any_other_version_is_answered_with_the_newest_that_is_served(revision: str, asked: str) -> None:
    served = OLD[OLD.index(revision) :]
    conversation = Conversation()
    assert initialize(offer(*served, *NEW), conversation, wish(asked))["protocolVersion"] == revision
    assert conversation.opened is not None
    assert conversation.opened.revision.name == revision


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("lifecycle.version.other-if-not")
def test_a_version_that_is_switched_off_is_answered_with_one_that_is_not(revision: str) -> None:
    others = [name for name in OLD if name != revision]
    assert initialize(offer(*others), Conversation(), wish(revision))["protocolVersion"] == others[0]


@pytest.mark.requirement("era.server.modern-only-rejects-initialize", "era.server.modern-only-names-versions")
@pytest.mark.parametrize("version", [*OLD, *NEW])
def test_without_a_handshake_revision_initialize_is_refused_and_the_versions_are_named(version: str) -> None:
    conversation = Conversation()
    error = fault(offer(*NEW), conversation, wish(version))
    assert error.code == INVALID_REQUEST
    assert all(name in error.message for name in NEW)
    assert conversation.opened is None


def test_a_second_initialize_is_refused_and_changes_nothing() -> None:
    conversation = Conversation()
    initialize(offer(), conversation, wish(OLD[0]))
    opened = conversation.opened
    assert fault(offer(), conversation, wish(OLD[-1])).code == INVALID_REQUEST
    assert conversation.opened is opened


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "initialize: protocolVersion is missing"),
        (wish(None), "initialize: protocolVersion must be a string"),
        (wish(20251125), "initialize: protocolVersion must be a string"),
        (wish([OLD[0]]), "initialize: protocolVersion must be a string"),
        ({"protocolVersion": OLD[0], "clientInfo": {}}, "initialize: capabilities is missing"),
        (wish(OLD[0], capabilities=[]), "initialize: capabilities must be an object"),
        (wish(OLD[0], capabilities=None), "initialize: capabilities must be an object"),
        ({"protocolVersion": OLD[0], "capabilities": {}}, "initialize: clientInfo is missing"),
        (wish(OLD[0], clientInfo="c"), "initialize: clientInfo must be an object"),
    ],
)
def test_what_initialize_lacks_is_said_in_one_line_and_may_be_put_right(params: dict[str, Any], message: str) -> None:
    conversation = Conversation()
    error = fault(offer(), conversation, params)
    assert (error.code, error.message) == (INVALID_PARAMS, message)
    assert conversation.opened is None
    assert initialize(offer(), conversation, wish(OLD[0]))["protocolVersion"] == OLD[0]


def test_the_handshake_revisions_are_listed_newest_first() -> None:
    assert handshake_revisions(offer()) == OLD == sorted(OLD, reverse=True)
    assert handshake_revisions(offer(*NEW)) == []
    assert LATEST.name not in OLD


# ---- batches


def taken(*members: Message | Malformed, allowed: bool = True) -> list[Message | Malformed]:
    return take_apart(Batch([*members]), allowed)


@pytest.mark.requirement("batch.receive", revisions=BATCHING)
def test_the_members_of_a_batch_are_taken_as_if_they_came_alone() -> None:
    members: list[Message | Malformed] = [
        Request(1, "m"),
        Notification("n"),
        Response(1, {}),
        ErrorResponse(2, 1, "no"),
        Malformed(1, "bad"),
    ]
    assert taken(*members) == members


def test_where_batches_are_unknown_all_of_it_is_one_invalid_request() -> None:
    [refusal] = taken(Request(1, "m"), Notification("n"), allowed=False)
    assert isinstance(refusal, Malformed)
    assert (refusal.code, refusal.id, refusal.answers, refusal.wants_reply) == (INVALID_REQUEST, None, None, True)


@pytest.mark.requirement("batch.initialize-alone", revisions=BATCHING)
@pytest.mark.parametrize("opening", [Request("i", "initialize", wish(OLD[0])), Notification("initialize")])
def test_a_batch_with_initialize_is_refused_and_nobody_is_left_waiting(opening: Message) -> None:
    found = taken(Request(1, "m"), opening, Notification("n"), Response(4, {}), Request(2, "m"))
    refused = [member for member in found if isinstance(member, Malformed)]
    assert [member.id for member in refused] == ([1, "i", 2] if isinstance(opening, Request) else [1, 2])
    assert all(member.code == INVALID_REQUEST and "initialize" in member.reason for member in refused)
    assert [member for member in found if member not in refused] == [Response(4, {})]
