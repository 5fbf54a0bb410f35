"""The fields of a form at the terminal: how they are shown, and what a typed line means."""

from typing import Any

import pytest

from mcport.cli.form import SKIPPED, Field, fields
from mcport.spec.types import RequestedSchema

TITLED = [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]


def field(schema: dict[str, Any], *, required: bool = True) -> Field:
    form = {"type": "object", "properties": {"it": schema}, **({"required": ["it"]} if required else {})}
    [found] = fields(RequestedSchema.from_wire(form))
    return found


@pytest.mark.parametrize(
    ("schema", "line", "value"),
    [
        ({"type": "string"}, " as it is ", " as it is "),
        ({"type": "string", "format": "email"}, "ada@example.org", "ada@example.org"),
        ({"type": "string", "format": "date"}, "2026-02-28", "2026-02-28"),
        ({"type": "string", "format": "date-time"}, "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z"),
        ({"type": "string", "format": "uri"}, "https://example.org/a", "https://example.org/a"),
        ({"type": "string", "default": "tea"}, "", "tea"),
        ({"type": "integer", "minimum": 3}, " 3 ", 3),
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, "-2.5e1", -25.0),
        ({"type": "number", "default": 0}, "", 0),
        ({"type": "boolean"}, "y", True),
        ({"type": "boolean"}, "No", False),
        ({"type": "boolean", "default": False}, "", False),
        ({"type": "string", "enum": ["tea", "milk"]}, "milk", "milk"),
        ({"type": "string", "enum": ["tea", "milk"]}, "1", "tea"),
        ({"type": "string", "enum": ["2", "1"]}, "1", "1"),
        ({"type": "string", "enum": ["tea", "milk"], "enumNames": ["Tea!", "Milk!"]}, "Milk!", "milk"),
        ({"type": "string", "oneOf": TITLED}, "Green", "g"),
        ({"type": "string", "oneOf": TITLED, "default": "r"}, "", "r"),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}}, "3, a, c", ["c", "a"]),
        ({"type": "array", "items": {"anyOf": TITLED}}, "Red,2", ["r", "g"]),
        ({"type": "array", "items": {"anyOf": TITLED}, "default": ["g"]}, "", ["g"]),
    ],
)
def test_a_line_is_read_as_the_field_wants_it(schema: dict[str, Any], line: str, value: object) -> None:
    found = field(schema).read(line)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("schema", "line", "said"),
    [
        ({"type": "string"}, "", "this is needed"),
        ({"type": "string", "minLength": 3}, "ab", "at least 3 characters"),
        ({"type": "string", "maxLength": 3}, "abcd", "at most 3 characters"),
        ({"type": "string", "format": "email"}, "ada@", "'ada@' is no email"),
        ({"type": "string", "format": "date"}, "2026-02-30", "'2026-02-30' is no date"),
        ({"type": "string", "format": "date-time"}, "2026-02-28T10:00:00", "'2026-02-28T10:00:00' is no date-time"),
        ({"type": "string", "format": "uri"}, "here", "'here' is no uri"),
        ({"type": "integer"}, "2.5", "'2.5' is not a whole number"),
        ({"type": "number"}, "many", "'many' is not a number"),
        ({"type": "number"}, "inf", "'inf' is not a number"),
        ({"type": "integer", "minimum": 3}, "2", "at least 3"),
        ({"type": "integer", "maximum": 3}, "4", "at most 3"),
        ({"type": "boolean"}, "maybe", "'maybe' is neither yes nor no"),
        ({"type": "string", "enum": ["tea", "milk"]}, "3", "'3' is none of the choices; type a number from 1 to 2"),
        ({"type": "array", "items": {"anyOf": TITLED}, "minItems": 2}, "1", "at least 2 choices"),
        ({"type": "array", "items": {"anyOf": TITLED}, "maxItems": 1}, "1,2", "at most 1 choices"),
    ],
)
def test_a_line_that_does_not_fit_is_told_why(schema: dict[str, Any], line: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole text is compared below
        field(schema).read(line)
    assert str(caught.value) == said


def test_an_empty_line_skips_what_is_not_needed() -> None:
    assert field({"type": "string"}, required=False).read("") is SKIPPED


@pytest.mark.parametrize(
    ("schema", "required", "prompt"),
    [
        ({"type": "string"}, True, "it, text: "),
        ({"type": "string", "title": "Your name"}, False, "Your name, text (may be left empty): "),
        ({"type": "integer", "default": 3}, False, "it, a whole number [3]: "),
        ({"type": "boolean", "default": True}, True, "it, yes or no [yes]: "),
        ({"type": "string", "format": "email"}, True, "it, email: "),
        ({"type": "string", "enum": ["a"]}, True, "it, one of these: "),
        ({"type": "array", "items": {"anyOf": TITLED}, "default": ["r"]}, True, "it, one or more, with commas [r]: "),
        ({"type": "string", "title": "\x1b[2J"}, True, "\\x1b[2J, text: "),
    ],
)
def test_the_prompt_says_what_is_wanted(schema: dict[str, Any], required: bool, prompt: str) -> None:
    assert field(schema, required=required).prompt == prompt


def test_choices_and_descriptions_are_shown_before_and_are_harmless() -> None:
    shown = field({"type": "string", "description": "Which\x07one?", "oneOf": TITLED}).shown()
    assert [*shown] == ["  Which\\x07one?", "  1) Red (r)", "  2) Green (g)"]
    assert [*field({"type": "string", "enum": ["tea"]}).shown()] == ["  1) tea"]
