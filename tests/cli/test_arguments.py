"""Arguments as they are typed at a shell, read as the tool's schema wants them."""

import io
from pathlib import Path
from typing import Any

import pytest

from mcport.cli.arguments import text_arguments, tool_arguments
from mcport.cli.usage import UsageError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "fast": {"type": "boolean"},
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "where": {"type": "object"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "maybe": {"type": ["string", "null"]},
        "level": {"enum": [1, "two", None]},
        "colour": {"$ref": "#/$defs/Colour"},
        "loop": {"$ref": "#/$defs/Loop"},
        "anything": {},
        "allowed": True,
    },
    "$defs": {"Colour": {"type": "integer"}, "Loop": {"$ref": "#/$defs/Loop"}},
}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("count=3", 3),
        ("count=-3", -3),
        ("count=x", "x"),
        ("count=3.5", "3.5"),
        ("count=true", "true"),
        ("share=3", 3),
        ("share=2.5e3", 2500.0),
        ("share=NaN", "NaN"),
        ("fast=true", True),
        ("fast=yes", "yes"),
        ("name=3", "3"),
        ("name=true", "true"),
        ('name={"a": 1}', '{"a": 1}'),
        ("name=", ""),
        ("name=a=b", "a=b"),
        ('tags=["a", "b"]', ["a", "b"]),
        ("tags=a", ["a"]),
        ("tags=3", ["3"]),
        ("sizes=3", [3]),
        ('where={"x": [1]}', {"x": [1]}),
        ("either=3", 3),
        ("either=three", "three"),
        ("maybe=null", None),
        ("maybe=3", "3"),
        ("level=1", 1),
        ("level=two", "two"),
        ("level=null", None),
        ("colour=7", 7),
        ("loop=7", "7"),
        ("anything=7", 7),
        ("anything=seven", "seven"),
        ("allowed=7", "7"),
        ("unknown=7", 7),
        ('name:="seven"', "seven"),
        ("name:=[1, 2]", [1, 2]),
    ],
)
def test_a_value_is_read_as_the_schema_wants_it_and_else_left_to_the_server(word: str, value: object) -> None:
    name = word.partition("=")[0].removesuffix(":")
    found = tool_arguments([word], SCHEMA)
    assert found == {name: value}
    assert type(found[name]) is type(value)


def test_without_a_schema_a_value_is_json_if_it_can_be() -> None:
    assert tool_arguments(["a=1", "b=x", "c=true"]) == {"a": 1, "b": "x", "c": True}


def test_a_list_may_be_given_item_by_item() -> None:
    assert tool_arguments(["tags=a", "tags=b", "sizes=1"], SCHEMA) == {"tags": ["a", "b"], "sizes": [1]}


def test_one_json_object_gives_all_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "arguments.json"
    file.write_text('{"a": [1]}')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": null}'))
    assert tool_arguments(['{"count": "as it is"}'], SCHEMA) == {"count": "as it is"}
    assert tool_arguments([f"@{file}"]) == {"a": [1]}
    assert tool_arguments(["-"]) == {"b": None}


def test_a_prompt_takes_texts() -> None:
    assert text_arguments(["a=1", "b=true", "c:=3"]) == {"a": "1", "b": "true", "c": "3"}
    assert text_arguments(['{"a": "1", "b": 2}']) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["seven"], "arguments are NAME=VALUE, NAME:=JSON or one JSON object; got 'seven'"),
        (["=7"], "arguments are NAME=VALUE, NAME:=JSON or one JSON object; got '=7'"),
        (["a=1", "a=2"], "argument 'a' is given twice"),
        (["a:=x"], "argument 'a' is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (["a:=NaN"], "argument 'a' is not JSON: NaN is no JSON"),
        (["{'a': 1}"], "the arguments: not JSON: Expecting property name enclosed in double quotes"),
        (["@no-such-file"], "no-such-file cannot be read: No such file or directory"),
        (["[" * 100000 + "]"], "arguments are NAME=VALUE"),
        (["a:=" + "[" * 100000], "argument 'a' is not JSON: "),
    ],
)
def test_p24_words_that_are_no_arguments_are_told_in_one_line(words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        tool_arguments(words)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_p24_json_that_is_no_object_gives_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("[1]\n"))
    with pytest.raises(UsageError, match=r"stdin: the arguments are one JSON object, this is '\[1\]'"):
        tool_arguments(["-"])
