"""The method table, held against the schema files as they are (not through the generator) and against known facts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

import mcport.spec.types as types
from mcport.spec.methods import METHODS
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS
from tests.spec.instances import ROOT

HANDSHAKE_NAMES = {revision.name for revision in HANDSHAKE}
EVERYWHERE = set(REVISIONS)


@cache
def definitions(revision: str) -> dict[str, Any]:
    document = json.loads((ROOT / "schema" / f"{revision}.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document.get("$defs") or document["definitions"]
    return found


def methods_in(revision: str, union: str) -> set[str]:
    """Return the methods of the messages in a union of the schema file."""
    node = definitions(revision).get(union, {"anyOf": []})
    members = [definitions(revision)[part["$ref"].rpartition("/")[2]] for part in node.get("anyOf", [])] or [node]
    return {member["properties"]["method"]["const"] for member in members if "properties" in member}


def not_offered(method: str) -> bool:
    return method.startswith(("tasks/", "notifications/tasks/"))


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("side", ["Client", "Server"])
def test_a_side_may_send_what_the_schema_lists_for_it(revision: str, side: str) -> None:
    listed = methods_in(revision, f"{side}Request") | methods_in(revision, f"{side}Notification")
    allowed = {
        name
        for name, method in METHODS.items()
        if revision in (method.from_client if side == "Client" else method.from_server)
    }
    assert allowed == {name for name in listed if not not_offered(name)}


@pytest.mark.parametrize("revision", REVISIONS)
def test_input_requests_are_what_the_schema_lists(revision: str) -> None:
    as_input = {name for name, method in METHODS.items() if revision in method.as_input}
    assert as_input == methods_in(revision, "InputRequest")


def test_the_latest_revision_sends_no_request_from_server_to_client() -> None:
    asked = [
        method.name for method in METHODS.values() if method.kind == "request" and LATEST.name in method.from_server
    ]
    assert asked == []
    inputs = {"sampling/createMessage", "elicitation/create", "roots/list"}
    assert {method.name for method in METHODS.values() if LATEST.name in method.as_input} == inputs


@pytest.mark.requirement("mrtr.supported-methods")
def test_three_methods_may_be_answered_with_questions() -> None:
    asking = {method.name for method in METHODS.values() if LATEST.name in method.may_ask}
    assert asking == {"tools/call", "prompts/get", "resources/read"}


def test_every_name_of_a_type_can_be_loaded() -> None:
    for method in METHODS.values():
        assert method.params in types.__all__
        assert (method.result is None) == (method.kind == "notification")
        assert method.result is None or method.result in types.__all__


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("tools/call", "CallToolRequestParams", "CallToolResult"),
        ("tools/list", "PaginatedRequestParams", "ListToolsResult"),
        ("server/discover", "RequestParams", "DiscoverResult"),
        ("ping", "RequestParams", "Result"),
        ("resources/subscribe", "SubscribeRequestParams", "Result"),
        ("elicitation/create", "ElicitRequestParams", "ElicitResult"),
        ("roots/list", "ListRootsRequestParams", "ListRootsResult"),
        ("notifications/tools/list_changed", "NotificationParams", None),
    ],
)
def test_a_method_names_its_parameters_and_its_result(method: str, params: str, result: str | None) -> None:
    assert (METHODS[method].params, METHODS[method].result) == (params, result)


@pytest.mark.parametrize(
    ("method", "capability", "revisions"),
    [
        ("tools/call", "tools", EVERYWHERE),
        ("resources/read", "resources", EVERYWHERE),
        ("resources/subscribe", "resources.subscribe", HANDSHAKE_NAMES),
        ("logging/setLevel", "logging", HANDSHAKE_NAMES),
        ("completion/complete", "completions", EVERYWHERE - {"2024-11-05"}),
        ("sampling/createMessage", "sampling", EVERYWHERE),
        ("elicitation/create", "elicitation", EVERYWHERE - {"2024-11-05", "2025-03-26"}),
        ("roots/list", "roots", EVERYWHERE),
        ("ping", None, set()),
        ("initialize", None, set()),
        ("subscriptions/listen", None, set()),
    ],
)
def test_a_method_needs_its_capability_where_there_is_one(
    method: str, capability: str | None, revisions: set[str]
) -> None:
    assert {name for name in REVISIONS if METHODS[method].needs(name) == capability} == (revisions or EVERYWHERE)


def test_completion_needs_no_capability_before_there_was_one() -> None:
    assert METHODS["completion/complete"].needs("2024-11-05") is None


def test_the_experimental_tasks_are_absent() -> None:
    assert not any(not_offered(name) for name in METHODS)
