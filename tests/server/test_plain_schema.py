"""Tool schemas are plain: references spelled out, no generated titles, nothing optional made nullable (P22)."""

import copy
import datetime
import enum
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mcport.server.signature import Signature
from mcport.server.signature.plain_schema import allows, plain


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Place(BaseModel):
    """Where something is."""

    title: str
    height: int | None = None
    floor: int | None = 5
    owner: str | None


class Trip(BaseModel):
    model_config = ConfigDict(title="A trip")
    start: Place
    end: Place = Field(description="where to", title="Destination")
    colour: Colour = Colour.RED


class Tree(BaseModel):
    place: Place
    left: Optional["Tree"] = None
    branches: list["Tree"] = []


@dataclass
class Even:
    odd: "Odd | None" = None


@dataclass
class Odd:
    even: Even


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


PLACE = {
    "type": "object",
    "description": "Where something is.",
    "properties": {
        "title": {"type": "string"},
        "height": {"type": "integer"},
        "floor": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 5},
        "owner": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["title", "owner"],
}


def schema_of(annotation: object, *default: object) -> dict[str, Any]:
    """The schema of a function with one parameter `x`."""

    def f(x: Any) -> None: ...

    f.__annotations__ = {"x": annotation}
    f.__defaults__ = default
    return Signature.of(f).input_schema


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (int, (), {"type": "integer"}),
        (int, (3,), {"type": "integer", "default": 3}),
        (int | None, (None,), {"type": "integer"}),
        (int | None, (), {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (int | None, (3,), {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3}),
        (int | str | None, (None,), {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Any, (None,), {}),
        (None, (None,), {"type": "null"}),
        (Place | None, (None,), PLACE),
        (list[Place], (), {"type": "array", "items": PLACE}),
        (dict[str, Place], (), {"type": "object", "additionalProperties": PLACE}),
        (
            tuple[Place, int],
            (),
            {"type": "array", "prefixItems": [PLACE, {"type": "integer"}], "minItems": 2, "maxItems": 2},
        ),
        (Colour, (Colour.RED,), {"type": "string", "enum": ["red", "green"], "default": "red"}),
        (Literal["a"], (), {"type": "string", "const": "a"}),
        (set[int], (), {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (datetime.datetime, (), {"type": "string", "format": "date-time"}),
        (uuid.UUID, (), {"type": "string", "format": "uuid"}),
        (
            Annotated[Cat | Dog, Field(discriminator="kind")],
            (),
            {"oneOf": [schema_of(Cat)["properties"]["x"], schema_of(Dog)["properties"]["x"]]},
        ),
        (Annotated[int, Field(ge=1, lt=5)], (), {"type": "integer", "minimum": 1, "exclusiveMaximum": 5}),
        (
            Annotated[str, Field(max_length=3, examples=["a"])],
            (),
            {"type": "string", "maxLength": 3, "examples": ["a"]},
        ),
        (Annotated[int, "text"], (), {"type": "integer", "description": "text"}),
        (Annotated[Place, "text"], (), {**PLACE, "description": "text"}),
        (
            Annotated[int, Field(title="Given", description="text")],
            (),
            {"type": "integer", "title": "Given", "description": "text"},
        ),
        (int, (Field(3, description="text"),), {"type": "integer", "default": 3, "description": "text"}),
        (
            datetime.date | None,
            (datetime.date(2026, 1, 31),),
            {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": "2026-01-31"},
        ),
        (float, (float("inf"),), {"type": "number"}),
        (object, (object(),), {}),
    ],
)
def test_types_are_described_plainly(annotation: object, default: tuple[object, ...], expected: dict[str, Any]) -> None:
    schema = schema_of(annotation, *default)
    assert schema["properties"]["x"] == expected
    assert schema.get("required", []) == ([] if default else ["x"])
    assert schema.keys() - {"required"} == {"type", "properties", "additionalProperties"}
    assert schema["additionalProperties"] is False


def test_models_are_spelled_out_wherever_they_are_used() -> None:
    assert schema_of(Trip)["properties"]["x"] == {
        "type": "object",
        "properties": {
            "start": PLACE,
            "end": {**PLACE, "description": "where to", "title": "Destination"},
            "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        },
        "required": ["start", "end"],
    }


def test_only_what_contains_itself_stays_a_definition() -> None:
    schema = schema_of(Tree)
    reference = {"$ref": "#/$defs/Tree"}
    assert schema["properties"] == {"x": reference}
    assert schema["$defs"] == {
        "Tree": {
            "type": "object",
            "properties": {
                "place": PLACE,
                "left": reference,
                "branches": {"type": "array", "items": reference, "default": []},
            },
            "required": ["place"],
        }
    }


def test_types_that_contain_each_other_stay_definitions() -> None:
    assert schema_of(Odd)["$defs"].keys() == {"Even", "Odd"}


def test_definitions_that_would_double_at_every_step_stay() -> None:
    definitions: dict[str, Any] = {
        f"D{step}": {"type": "object", "properties": {name: {"$ref": f"#/$defs/D{step + 1}"} for name in "ab"}}
        for step in range(40)
    }
    definitions["D40"] = {"type": "integer", "title": "End"}
    schema = plain({"$ref": "#/$defs/D0", "$defs": definitions})
    assert schema["$ref"] == "#/$defs/D0"
    assert schema["$defs"].keys() == definitions.keys()
    assert schema["$defs"]["D40"] == {"type": "integer"}


def test_properties_may_be_called_like_keywords() -> None:
    names = ["title", "default", "$ref", "anyOf", "properties", "required", "$defs", "discriminator"]
    properties: dict[str, Any] = {name: {"type": "integer"} for name in names}
    schema = {"type": "object", "properties": properties, "default": {"title": 1, "$ref": "#"}, "const": {"title": 1}}
    assert plain(schema) == schema


def test_the_schema_that_is_made_plain_stays_as_it_is() -> None:
    schema = {
        "properties": {"x": {"anyOf": [{"$ref": "#/$defs/X"}, {"type": "null"}], "default": None}},
        "$defs": {"X": {"title": "X", "enum": [1]}},
    }
    before = copy.deepcopy(schema)
    made = plain(schema)
    made["properties"]["x"]["enum"].append(2)
    assert schema == before


@pytest.mark.parametrize(
    ("schema", "kind", "verdict"),
    [
        ({}, str, True),
        ({"type": "string"}, str, True),
        ({"type": ["integer", "null"]}, type(None), True),
        ({"type": "integer"}, str, False),
        ({"const": "a"}, str, True),
        ({"const": 1}, bool, False),
        ({"enum": [1, None]}, type(None), True),
        ({"enum": [1]}, str, False),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, str, True),
        ({"oneOf": [{"type": "integer"}]}, str, False),
        ({"$ref": "#/$defs/Tree"}, str, False),
    ],
)
def test_it_is_known_what_a_schema_allows(schema: dict[str, Any], kind: type, verdict: bool) -> None:
    assert allows(schema, kind) is verdict
