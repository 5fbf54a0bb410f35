"""Forms from Python types: what goes over the wire in each revision, and what comes back as a value."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from mcport import Context, Elicit, Server
from mcport.spec.model import Unsendable
from mcport.spec.revisions import REVISIONS
from tests.server.answering import ELICITS, Seen, accept, said
from tests.server.wire import ALL, Json, serving

ELICITING = [name for name in ALL if REVISIONS[name].elicits]
RICH = [name for name in ALL if REVISIONS[name].elicits_defaults]
PLAIN = [name for name in ELICITING if name not in RICH]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Person(BaseModel):
    """Somebody."""

    name: str = Field(title="Name", description="In full", min_length=2, max_length=40)
    age: int = Field(default=30, ge=0, lt=150)
    height: float | None = Field(default=None, ge=0.5)
    born: datetime.date | None = None
    member: bool = False
    colour: Colour = Colour.RED
    size: Literal["s", "m"] = "m"
    extras: list[Literal["milk", "sugar"]] = Field(default=["milk"], max_length=2)


@dataclasses.dataclass
class Stay:
    city: str
    nights: int = 1


class Pair(TypedDict):
    left: str
    right: int


def wire(schema: Any, revision: str) -> Json:
    return Elicit("?", schema).wire(REVISIONS[revision], {})["requestedSchema"]


def read(schema: Any, **content: Json) -> Any:
    return Elicit("?", schema).read(accept(**content)).data


@pytest.mark.parametrize("revision", RICH)
@pytest.mark.requirement("elicitation.schema-defaults", "elicitation.schema-flat-primitives")
@pytest.mark.requirement("elicitation.schema-string-formats")
def test_a_model_becomes_a_flat_form(revision: str) -> None:
    assert wire(Person, revision) == {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "title": "Name", "description": "In full", "minLength": 2, "maxLength": 40},
            "age": {"type": "integer", "default": 30, "minimum": 0, "maximum": 149},
            "height": {"type": "number", "minimum": 0.5},
            "born": {"type": "string", "format": "date"},
            "member": {"type": "boolean", "default": False},
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "size": {"type": "string", "enum": ["s", "m"], "default": "m"},
            "extras": {
                "type": "array",
                "items": {"type": "string", "enum": ["milk", "sugar"]},
                "default": ["milk"],
                "maxItems": 2,
            },
        },
    }


@pytest.mark.parametrize("revision", PLAIN)
@pytest.mark.requirement("elicitation.schema-flat-primitives")
def test_the_first_revision_with_forms_has_defaults_for_booleans_only_and_names_for_titles(revision: str) -> None:
    titled = {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "b", "title": "Blue"}]}
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "default": "x"},
            "b": {"type": "boolean", "default": True},
            "c": {**titled, "default": "r"},
        },
    }
    assert wire(schema, revision)["properties"] == {
        "a": {"type": "string"},
        "b": {"type": "boolean", "default": True},
        "c": {"type": "string", "enum": ["r", "b"], "enumNames": ["Red", "Blue"]},
    }
    with pytest.raises(Unsendable, match="'extras'"):
        wire(Person, revision)


@pytest.mark.anyio
@pytest.mark.parametrize("revision", RICH)
async def test_every_kind_of_schema_is_accepted_by_the_revision(revision: str) -> None:
    titled = [{"const": "r", "title": "Red"}, {"const": "b", "title": "Blue"}]
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 1, "maxLength": 9, "format": "email", "default": "a@b.c"},
            "number": {"type": "number", "minimum": 0, "maximum": 1.5, "default": 1},
            "whole": {"type": "integer", "title": "W", "description": "d"},
            "flag": {"type": "boolean", "default": True},
            "one": {"type": "string", "enum": ["x", "y"], "default": "x"},
            "named": {"type": "string", "enum": ["x", "y"], "enumNames": ["X", "Y"]},
            "titled": {"type": "string", "oneOf": titled, "default": "r"},
            "many": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}, "minItems": 1, "maxItems": 2},
            "chosen": {"type": "array", "items": {"anyOf": titled}, "default": ["r"]},
        },
        "required": ["text"],
    }
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", schema)).data)

    user = Seen(accept(text="a@b.c", many=["x"], chosen=["r", "b"], whole=3.0, unasked=1))
    async with serving(server, revision, ELICITS) as far:
        assert await said(far, "ask", user) == "{'text': 'a@b.c', 'whole': 3, 'many': ['x'], 'chosen': ['r', 'b']}"
    assert user.asked[0]["params"]["requestedSchema"] == schema


def test_answers_come_back_as_values_of_the_type() -> None:
    found = read(Person, name="Ada", born="1815-12-10", colour="blue", extras=["milk", "sugar"])
    assert found == Person(name="Ada", born=datetime.date(1815, 12, 10), colour=Colour.BLUE, extras=["milk", "sugar"])
    assert read(Stay, city="Lyon") == Stay("Lyon")
    assert read(Pair, left="a", right=1) == {"left": "a", "right": 1}
    assert read(None) is None


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (str, "x", "x"),
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 1.5, 1.5),
        (bool, True, True),
        (Colour, "red", Colour.RED),
        (Literal["a", "b"], "b", "b"),
        (Literal["only"], "only", "only"),
        (list[Colour], ["red"], [Colour.RED]),
        (datetime.datetime, "2026-01-02T03:04:05Z", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)),
        (Annotated[int, Field(ge=1, title="Nights")], 2, 2),
    ],
)
def test_a_plain_type_is_a_form_with_one_field(kind: Any, given: Json, value: object) -> None:
    for revision in RICH:
        assert wire(kind, revision)["required"] == ["value"]
    assert read(kind, value=given) == value


class Nested(BaseModel):
    inner: Stay


class Lists(BaseModel):
    words: list[str]


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        (Nested, "'inner'"),
        (Lists, "'words'"),
        (list[int], "'value'"),
        (dict[str, str], "named fields"),
        (Literal[1, 2], "'value'"),
        (bytes | int, "'value'"),
        (object(), "no type"),
        ({"type": "string"}, "object"),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, "'a'"),
        ({"type": "object", "properties": {"a": {"$ref": "#/x"}}}, "'a'"),
        ({"type": "object", "properties": {"a": 3}}, "'a'"),
        ({"type": "object", "properties": {"a": {"type": "string", "format": "uuid"}}}, "formats are"),
        ({"type": "object", "properties": {"a": {"type": "string", "const": "x"}}}, "'const'"),
        ({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}, "default"),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": []}}}, "'a'"),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "enumNames": []}}}, "enumNames"),
        ({"type": "object", "properties": {"a": {"type": "string", "oneOf": [{"const": "x"}]}}}, "titled"),
        ({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}, "'a'"),
        ({"type": "object", "properties": {}, "required": ["a"]}, "'a'"),
        ({"type": "object", "properties": {}, "additionalProperties": False}, "additionalProperties"),
    ],
)
@pytest.mark.requirement("elicitation.schema-flat-primitives", "elicitation.schema-string-formats")
def test_what_a_form_cannot_ask_is_refused_at_once_by_name(schema: Any, names: str) -> None:
    with pytest.raises(TypeError, match=names):
        Elicit("?", schema)
