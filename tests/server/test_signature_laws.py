"""Laws: what the schema allows is bound, and what it refuses is refused; both ways of reading annotations agree."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from mcport.server.signature import ArgumentsInvalid, Signature
from mcport.server.signature.builtin_fields import from_builtins
from mcport.server.signature.parameters import EMPTY, Parameter, Reading
from mcport.server.signature.typed_fields import from_typed_dict


class Leaf(BaseModel):
    a: int
    b: str | None
    c: float | None = None


class Options(TypedDict):
    a: bool
    b: NotRequired[list[int]]


@dataclass
class Tree:
    a: "list[Tree]"
    b: Leaf | int | None = 3


ANNOTATIONS: list[Any] = [
    int,
    float,
    bool,
    str,
    int | None,
    int | str,
    float | list[str],
    Literal["a", "b"],
    Literal[1, 2],
    Literal[True, "a"],
    list[int],
    dict[str, int | None],
    tuple[int, str],
    Annotated[int, Field(ge=1, lt=3)],
    Annotated[str, Field(min_length=1, max_length=2)],
    Annotated[list[bool], Field(max_length=2)],
    Leaf,
    Options,
    Tree,
    Leaf | Options,
    list[Leaf] | dict[str, Leaf],
]

keys = st.sampled_from(["a", "b", "c"])
atoms = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | keys
values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)


def taking(annotation: object, *default: object) -> Signature:
    def f(x: Any) -> None: ...

    f.__annotations__ = {"x": annotation}
    f.__defaults__ = default
    return Signature.of(f)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_the_binder_takes_what_the_schema_allows_and_nothing_else(annotation: object) -> None:
    signature = taking(annotation)
    schema = jsonschema_rs.validator_for(signature.input_schema)

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(st.dictionaries(st.just("x"), values) | st.just({"x": {"a": 1, "b": None}}) | st.just({"y": 1}))
    def law(arguments: dict[str, Any]) -> None:
        # A null where an inner default exists is taken as that default, although the schema does not offer it.
        if schema.is_valid(arguments):
            signature.bind(arguments)
        elif "null" not in json.dumps(arguments):
            with pytest.raises(ArgumentsInvalid) as refusal:
                signature.bind(arguments)
            assert "\n" not in refusal.value.line
            assert "\0" not in refusal.value.line

    law()


BUILTINS: list[Any] = [
    *(int, float, bool, str, None, Any, object, list, dict, tuple, set),
    *(int | None, str | int, int | str, None | str, list[int], list[list[str]], dict[str, float], dict[int, str]),
    *(set[int], frozenset[str], tuple[int, ...], tuple[int, str], tuple[()], list[int | None] | None),
    *(Literal["a"], Literal["a", 1, True], list[Literal["a", "b"]], Annotated[int, "text"]),
    Annotated[str | None, Field(description="text")],
]


@pytest.mark.parametrize("default", [EMPTY, None, 3, float("nan"), object()], ids=str)
@pytest.mark.parametrize("annotation", BUILTINS, ids=str)
def test_the_short_way_for_plain_types_gives_what_the_long_way_gives(annotation: object, default: object) -> None:
    parameters = (Parameter("x", type(None) if annotation is None else annotation, default),)
    short = from_builtins(parameters, {"x": "from the docstring"})
    long = from_typed_dict(parameters, {"x": "from the docstring"}, Reading("f"))
    assert short is not None
    assert short.schema == long.schema
    assert short.parameters == long.parameters
    assert _bare(short.core["fields"]["x"]) == _bare(long.core["fields"]["x"])


def _bare(node: Any) -> Any:
    """A core schema without the notes that pydantic leaves in it."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key != "metadata"}
    return [_bare(each) for each in node] if isinstance(node, list) else node


def test_schemas_come_out_the_same_every_time() -> None:
    def one(x: int | str, y: str | int) -> None: ...

    def other(x: str | int, y: int | str) -> None: ...

    first = json.dumps(Signature.of(one).input_schema)
    assert json.dumps(Signature.of(other).input_schema) != first
    assert json.dumps(Signature.of(one).input_schema) == first
    assert json.dumps(taking(Tree).input_schema) == json.dumps(taking(Tree).input_schema)


def test_a_schema_is_its_owner_s_alone() -> None:
    one, other = taking(list[int]), taking(list[int])
    one.input_schema["properties"]["x"]["items"]["type"] = "string"
    assert other.input_schema["properties"]["x"] == {"type": "array", "items": {"type": "integer"}}
    assert taking(list[int]).input_schema == other.input_schema
