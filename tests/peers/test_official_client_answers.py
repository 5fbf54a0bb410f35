"""The official SDK's client, in both eras and able to be asked, goes through our everything example."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.peers import places
from tests.peers.test_official_client import HERE, Seen, text_of

EVERYTHING = places.ROOT / "examples" / "everything.py"
WATCHED = "test://watched-resource"

PLAIN = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "structured_weather",
    "test_x_mcp_header",
    "test_missing_capability",
]
ASKING = {
    "test_list_roots": '["file:///tmp"]',
    "test_streaming_elicitation": "The user chose to accept.",
    "test_input_required_result_elicitation": "Hello, Ada!",
    "test_input_required_result_sampling": "The model said: Paris",
    "test_input_required_result_list_roots": "1 roots: file:///tmp",
    "test_input_required_result_request_state": "state-ok: the user chose to accept",
    "test_input_required_result_multiple_inputs": "All 3 answers came.",
    "test_input_required_result_multi_round": "Ada likes blue.",
    "test_input_required_result_tampered_state": "The state was genuine; the user chose to accept.",
    "test_input_required_result_capabilities": "Your model said: Paris",
}
CHOSEN = {
    "untitledSingle": "option1",
    "titledSingle": "value1",
    "legacyEnum": "opt1",
    "untitledMulti": ["option1", "option2"],
    "titledMulti": ["value1"],
}
FILLED_IN = {
    "Who are you?": {"username": "ada", "email": "ada@example.org"},
    "Please look through your entry.": {"name": "J", "age": 3, "score": 1.5, "status": "inactive", "verified": False},
    "Please choose.": CHOSEN,
    "Shall I go on?": {"value": True},
    "Shall I?": {"ok": True},
    "What is your name?": {"name": "Ada"},
    "Step 1: what is your name?": {"name": "Ada"},
    "Step 2: what is your favourite colour?": {"color": "blue"},
    "What shall the prompt know of you?": {"context": "rain"},
}
"""Everything else is declined."""

REFERENCE = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
TRIGGERS = ["test_trigger_tool_change", "test_trigger_prompt_change", "touch_watched_resource"]
FILTER = {"tools_list_changed": True, "resource_subscriptions": [WATCHED]}


def called(tool: str) -> list[object]:
    return [tool, "call_tool", tool, {}]


SCRIPT: list[list[object]] = [
    ["level", "set_logging_level", "debug"],
    *(called(tool) for tool in (*PLAIN, *ASKING)),
    ["form", "call_tool", "test_elicitation", {"message": "Who are you?"}],
    ["declined", "call_tool", "test_elicitation", {"message": "Really?"}],
    ["defaults", "call_tool", "test_elicitation_sep1034_defaults", {}],
    ["choices", "call_tool", "test_elicitation_sep1330_enums", {}],
    ["model", "call_tool", "test_sampling", {"prompt": "hi"}],
    ["logging", "call_tool", "test_tool_with_logging", {}],
    ["progress", "call_tool", "test_tool_with_progress", {}, {"also": {"progress": True}}],
    ["impatient", "call_tool", "wait", {}, {"also": {"patience": 0.2}}],
    ["withdrawn", "read_resource", "test://withdrawn"],
    ["schema", "call_tool", "json_schema_2020_12_tool", {"phone": "1", "contactMethod": "phone"}],
    ["complete", "complete", REFERENCE, {"name": "arg1", "value": "par"}],
    ["listen", "listen", FILTER, TRIGGERS, 2],
    ["subscribe", "subscribe_resource", WATCHED],
    ["triggers", "call_tool", "test_trigger_prompt_change", {}],
    ["touch", "call_tool", "touch_watched_resource", {}],
    ["unsubscribe", "unsubscribe_resource", WATCHED],
    ["template", "read_resource", "test://template/123/data"],
    ["binary", "read_resource", "test://static-binary"],
    ["embedding prompt", "get_prompt", "test_prompt_with_embedded_resource", {"resourceUri": "test://x"}],
    ["image prompt", "get_prompt", "test_prompt_with_image"],
    ["asking prompt", "get_prompt", "test_input_required_result_prompt"],
]


@pytest.fixture(scope="module", params=["legacy", "auto"])
def seen(request: pytest.FixtureRequest, official_python: str) -> Seen:
    elicit = {message: {"action": "accept", "content": content} for message, content in FILLED_IN.items()}
    task = {
        "server": [sys.executable, str(EVERYTHING)],
        "env": dict(places.peer_env()),
        "mode": request.param,
        "log_level": "debug",
        "answers": {"elicit": elicit, "sample": "Paris", "roots": ["file:///tmp"]},
        "script": SCRIPT,
    }
    command = [official_python, "-W", "ignore", str(HERE / "official_client.py"), json.dumps(task)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=places.ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    return Seen(request.param, done.stdout)


def is_stateless(seen: Seen) -> bool:
    return seen.revision == "2026-07-28"


def asked(seen: Seen, method: str) -> list[Any]:
    """The parameters of the questions of one kind, as the client saw them."""
    return [line["params"] for line in seen.of("asked") if line["method"] == method]


@pytest.mark.parametrize("tool", PLAIN)
def test_every_plain_tool_answers(seen: Seen, tool: str) -> None:
    result = seen.result(tool)
    assert not result["isError"]
    assert result["content"]


@pytest.mark.parametrize("tool", ASKING)
def test_every_tool_that_asks_gets_its_answers(seen: Seen, tool: str) -> None:
    assert text_of(seen.result(tool)) == ASKING[tool]


def test_forms_are_filled_in_and_declined(seen: Seen) -> None:
    assert text_of(seen.result("form")) == "The user is ada <ada@example.org>."
    assert text_of(seen.result("declined")) == "The user chose to decline."
    assert "status='inactive'" in text_of(seen.result("defaults"))
    assert str(CHOSEN) in text_of(seen.result("choices"))
    (form,) = [params for params in asked(seen, "elicitation/create") if params["message"] == "Please choose."]
    assert [*form["requestedSchema"]["properties"]] == [*CHOSEN]


def test_its_model_is_asked(seen: Seen) -> None:
    assert text_of(seen.result("model")) == "The model said: Paris"
    question = asked(seen, "sampling/createMessage")[-1]
    assert (question["maxTokens"], question["messages"][0]["content"]["text"]) == (100, "hi")


def test_log_messages_come_while_the_tool_runs(seen: Seen) -> None:
    assert [(line["level"], line["data"]) for line in seen.of("log")] == [
        ("info", "Tool started"),
        ("info", "Tool working"),
        ("info", "Tool finished"),
    ]
    assert text_of(seen.result("logging")) == "Three messages were logged."


def test_it_sees_progress_from_the_beginning_to_the_end(seen: Seen) -> None:
    assert [report[:2] for report in seen.progress("progress")] == [[0, 100], [50, 100], [100, 100]]


def test_a_call_that_it_withdraws_is_stopped(seen: Seen) -> None:
    assert seen.of("impatient") == [{"step": "impatient", "withdrawn": True}]
    assert json.loads(seen.result("withdrawn")["contents"][0]["text"]) == {"calls": 1}


def test_it_follows_changes_as_its_era_does(seen: Seen) -> None:
    told = [(line["method"], (line["params"] or {}).get("uri")) for line in seen.of("told")]
    changes = [each for each in told if each[0].endswith(("/list_changed", "/updated"))]
    if is_stateless(seen):
        honored, *events, _ = seen.of("listen")
        assert honored["honored"] == {"toolsListChanged": True, "resourceSubscriptions": [WATCHED]}
        assert {(each["event"], each["uri"]) for each in events} == {
            ("ToolsListChanged", None),
            ("ResourceUpdated", WATCHED),
        }
        assert seen.error("subscribe")["code"] == seen.error("unsubscribe")["code"] == -32601
    else:
        assert seen.result("subscribe") == seen.result("unsubscribe") == {}
        assert changes == [("notifications/prompts/list_changed", None), ("notifications/resources/updated", WATCHED)]


def test_it_completes_an_argument(seen: Seen) -> None:
    completion = seen.result("complete")["completion"]
    assert completion == {"values": ["paris", "park", "party"], "total": 3, "hasMore": False}


def test_it_reads_resources_and_gets_prompts_of_every_kind(seen: Seen) -> None:
    assert '"123"' in seen.result("template")["contents"][0]["text"]
    assert seen.result("binary")["contents"][0]["mimeType"] == "image/png"
    assert seen.result("embedding prompt")["messages"][0]["content"]["resource"]["uri"] == "test://x"
    assert seen.result("image prompt")["messages"][0]["content"]["type"] == "image"
    assert seen.result("asking prompt")["messages"][0]["content"]["text"] == "Take this into account: rain"


def test_it_closes_without_an_error(seen: Seen) -> None:
    assert seen.closed()
