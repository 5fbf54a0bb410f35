"""The five revisions and their abilities: known facts, and agreement with what the generated tables say."""

from __future__ import annotations

import dataclasses

import pytest

from mcport.spec.deltas import ABSENT, FILLED
from mcport.spec.methods import METHODS
from mcport.spec.revisions import HANDSHAKE, LATEST, LATEST_HANDSHAKE, REVISIONS, STATELESS, Revision


def test_the_revisions_come_newest_first() -> None:
    assert list(REVISIONS) == sorted(REVISIONS, reverse=True)
    assert [*STATELESS, *HANDSHAKE] == list(REVISIONS.values())
    assert (STATELESS[0], HANDSHAKE[0]) == (LATEST, LATEST_HANDSHAKE)
    assert [revision.name for revision in REVISIONS.values()] == list(REVISIONS)


def test_the_tables_know_the_same_revisions() -> None:
    assert set(ABSENT) == set(REVISIONS)


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_abilities_agree_with_the_generated_tables(revision: Revision) -> None:
    name, types = revision.name, ABSENT[revision.name]
    tool, result = types["Tool"], types["CallToolResult"]
    assert revision.elicits == ("ElicitRequest" in types)
    assert revision.elicits_url == ("ElicitRequestURLParams" in types)
    assert revision.elicits_defaults == ("TitledMultiSelectEnumSchema" in types)
    assert revision.identifies_url_elicitations == (name in METHODS["notifications/elicitation/complete"].from_server)
    assert revision.samples_with_tools == ("ToolUseContent" in types)
    assert revision.asks_by_returning == (name in METHODS["roots/list"].as_input)
    assert revision.has_structured_output == ("structured_content" not in result) == ("output_schema" not in tool)
    assert revision.has_resource_links == ("ResourceLink" in types)
    assert revision.has_audio == ("AudioContent" in types)
    assert revision.has_tool_annotations == ("annotations" not in tool)
    assert revision.has_titles == ("title" not in tool)
    assert revision.has_icons == ("icons" not in tool)
    assert revision.has_progress_message == ("message" not in types["ProgressNotificationParams"])
    assert revision.completes_with_context == ("context" not in types["CompleteRequestParams"])
    assert revision.completions_capability == (METHODS["completion/complete"].needs(name) is not None)
    assert revision.caches_results == ("ttl_ms" in FILLED[name].get("ListToolsResult", {}))
    assert revision.has_subscription_streams == (name in METHODS["subscriptions/listen"].from_client)
    assert revision.logs_per_request == (name not in METHODS["logging/setLevel"].from_client)
    assert (revision.era == "handshake") == (name in METHODS["initialize"].from_client)


@pytest.mark.parametrize(
    ("ability", "names"),
    [
        ("allows_batches", {"2025-03-26"}),
        ("requires_version_header", {"2025-06-18", "2025-11-25", "2026-07-28"}),
        ("has_http_sessions", {"2025-03-26", "2025-06-18", "2025-11-25"}),
        ("structured_any_json", {"2026-07-28"}),
        ("tool_argument_errors_are_results", {"2025-11-25", "2026-07-28"}),
    ],
)
def test_abilities_that_no_schema_states(ability: str, names: set[str]) -> None:
    assert {revision.name for revision in REVISIONS.values() if getattr(revision, ability)} == names


def test_a_missing_resource_has_a_code_of_its_own_in_the_handshake_era() -> None:
    codes = {revision.resource_not_found_code for revision in HANDSHAKE}
    assert (codes, LATEST.resource_not_found_code) == ({-32002}, -32602)


def test_a_revision_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        LATEST.elicits = False  # type: ignore[misc]
