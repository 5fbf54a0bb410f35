"""Servers that mean no good, or write nonsense: the command goes on, shows what it can, and answers in JSON."""

import json
from typing import Any

import pytest

from tests.cli.commands import Here, Meant
from tests.client.counterpart import error, notification, result, text, usual
from tests.client.playing import Wire

REVISION = "2026-07-28"


def offering(schema: dict[str, Any], **tool: Any) -> Wire:
    """A server with one tool, whose calls tell the arguments that came."""
    tools = [{"name": "any", "inputSchema": {"type": "object", **schema}, **tool}]
    return Wire({**usual(REVISION), "tools/list": [result({"resultType": "complete", "tools": tools})]})


ENDLESS = {"anyOf": [{"$ref": "#/properties/x"}] * 9}

NONSENSE = [
    ({"required": 5, "properties": {"x": {"type": "integer"}}}, 7),
    ({"required": [{"x": 1}], "properties": {"x": {"enum": 7}}}, "7"),
    ({"properties": [1]}, 7),
    ({"properties": {"x": 5}}, "7"),
    ({"properties": {"x": {"anyOf": 3, "type": "integer"}}}, 7),
    ({"properties": {"x": {"oneOf": {"type": "integer"}}}}, "7"),
    ({"properties": {"x": {"type": [[]]}}}, "7"),
    ({"properties": {"x": {"type": "array", "items": 5}}}, ["7"]),
    ({"properties": {"x": {"$ref": "#/properties/x"}}}, "7"),
    ({"properties": {"x": ENDLESS}}, "7"),
]


@pytest.mark.parametrize(("schema", "sent"), NONSENSE, ids=[json.dumps(schema)[:40] for schema, _ in NONSENSE])
def test_p24_a_schema_that_is_nonsense_is_listed_and_called_all_the_same(
    here: Here, meant: Meant, schema: dict[str, Any], sent: object
) -> None:
    meant(offering(schema))
    assert "\n  any(" in here("list", "desk", "tools").stdout
    wire = offering(schema)
    meant(wire)
    done = here("call", "desk", "any", "x=7")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    [asked] = [message for message in wire.messages if message["method"] == "tools/call"]
    assert asked["params"]["arguments"] == {"x": sent}


@pytest.mark.parametrize(
    ("done", "total", "filled"),
    [
        (3, 2, 24),
        (-1, 2, 0),
        (-5e300, 1e-300, 0),
        (5e300, 1e-300, 24),
        pytest.param(10**400, 1, 0, id="huge"),
        (1, -1, 0),
        (1, 0, 0),
    ],
)
def test_progress_that_cannot_be_leaves_the_bar_within_its_bounds(
    here: Here, meant: Meant, done: float, total: float, filled: int
) -> None:
    report = notification("notifications/progress", {"progressToken": "$token", "progress": done, "total": total})
    meant(Wire({**usual(REVISION), "tools/call": [report, text("done")]}))
    shown = here("call", "desk", "any")
    assert (shown.stdout, shown.stderr.strip()) == ("done\n", f"[{'#' * filled}{'.' * (24 - filled)}]")


def test_wide_and_combining_characters_stay_aligned_and_are_cut_at_the_edge(here: Here, meant: Meant) -> None:
    tools = [
        {"name": name, "description": told, "inputSchema": {"type": "object"}}
        for name, told in (("天気", "予報" * 80), ("e\u0301", "accent"), ("plain", "ascii"))
    ]
    meant(Wire({**usual(REVISION), "tools/list": [result({"resultType": "complete", "tools": tools})]}))
    first, *rest = here("list", "desk", "tools").stdout.splitlines()[3:]
    assert first == f"  天気()   {'予報' * 37}…"  # 11 columns, 148 and the mark: 160 at most
    assert rest == ["  e\u0301()      accent", "  plain()  ascii"]


# ---- failures, for programs


def test_with_json_an_error_of_the_server_is_a_document_as_on_the_wire(here: Here, meant: Meant) -> None:
    meant(Wire({**usual(REVISION), "tools/call": [error(-32000, "no \x1b[2J", {"why": "\x9b"})]}))
    done = here("call", "desk", "any", "--json")
    assert (done.returncode, done.stderr) == (4, "mcport: no \\x1b[2J\n")
    assert json.loads(done.stdout) == {"error": {"code": -32000, "message": "no \x1b[2J", "data": {"why": "\x9b"}}}
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "--", "no-such-command-anywhere"], 3),
        (["list", "desk", "nothing"], 2),
        (["call", "desk"], 2),
        (["read", "desk"], 2),
        (["prompt", "desk", "greet"], 4),
        (["complete", "desk", "greet"], 2),
        (["listen", "desk"], 2),
    ],
)
def test_with_json_every_command_that_fails_writes_one_document(
    here: Here, meant: Meant, arguments: list[str], code: int
) -> None:
    meant(Wire({**usual(REVISION), "prompts/get": [error(-32602, "no such prompt")]}))
    done = here(arguments[0], "--json", *arguments[1:])
    assert done.returncode == code
    told = json.loads(done.stdout)["error"]
    assert done.stderr == f"mcport: {told['message']}\n"
    assert told.keys() == ({"code", "message"} if code == 4 else {"message"})
    assert (done.stdout.count("\n") == 1) == (arguments[0] == "listen")


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5", ""])
def test_listening_to_less_than_one_change_is_refused(here: Here, count: str) -> None:
    done = here("listen", "desk", "--count", count)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: argument --count: a number from 1 on is wanted, got " in done.stderr
