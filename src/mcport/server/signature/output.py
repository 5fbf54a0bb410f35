"""What a callable returns, as a JSON Schema to advertise and a writer of its values.

A value is written once, by its own type; one that was built from the annotated type is not validated again, anything
else is first. Refuses to know revisions and results. Below sit `fields`, `plain_schema` and `pydantic_schemas`.
"""

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, NoReturn, cast

from pydantic_core import (
    PydanticSerializationError,
    SchemaSerializer,
    SchemaValidator,
    ValidationError,
    to_json,
)

from mcport.spec.instances import is_pydantic_class

from .fields import SCALARS
from .json_semantics import Node
from .parameters import EMPTY
from .plain_schema import Schema, plain, promised

__all__ = ["Output", "ReturnInvalid", "read_output"]

_SILENT = (str, bytes, bytearray, memoryview, object, NoneType, None, NoReturn, typing.Never, Any, EMPTY)
"""Types of which a schema would say nothing that the text of a result does not."""

_LISTS = (list, tuple, Sequence, Iterable)
"""Types that say only that there are several."""

_OWN_WRAPPERS = frozenset({"InputRequired", "CallToolResult"})
"""What a function may return instead of its value, without being one."""

Write = Callable[[object], bytes]


class ReturnInvalid(ValueError):
    """A callable returned what its annotation does not allow. The text names the field, never its value."""


class Output:
    """What a callable returns.

    Attributes:
        schema: a plain JSON Schema (2020-12) of what is written.
        write: returns the JSON of a returned value. Raises `ReturnInvalid` for a value of another type, and ValueError
            for one that cannot be written; numbers that JSON lacks are written bare.
        holds_anything: whether a part may be of any type; models there write such numbers as they like. It is known
            from the first value on.
    """

    __slots__ = ("_core", "_serialize", "_trusted", "_validate", "holds_anything", "schema", "write")

    def __init__(self, annotation: Any, schema: Schema, core: Node) -> None:
        self.schema = schema
        self._core = core
        self._trusted = annotation if _keeps_its_promise(annotation) else None
        self.holds_anything = False
        self.write: Write = self._first_write

    def _first_write(self, value: object) -> bytes:
        """Compile validator and serializer when they are first needed."""
        self._validate = SchemaValidator(cast(Any, self._core)).validate_python
        self._serialize = to_json if self._trusted in SCALARS else _serializer(self._core)
        self.holds_anything = _holds_anything(self._core)
        self.write = self._write
        return self._write(value)

    def _write(self, value: object) -> bytes:
        try:
            if type(value) is not self._trusted:
                value = self._validate(value)
            return self._serialize(value)
        except ValidationError as error:
            raise ReturnInvalid(_line(error)) from None
        except PydanticSerializationError as error:
            raise ReturnInvalid(_serialization_line(error)) from None


def read_output(annotation: Any, name: str, structured: bool | None) -> Output | None:
    """Work out what a callable returns; None where that is no structured value.

    Args:
        annotation: the return annotation, resolved.
        name: the callable's name, for errors.
        structured: False for no, True for an error if there is no schema, None to look: text, bytes, content, nothing
            and anything are no structured values.

    Raises:
        TypeError: with one line, if `structured` is True and no JSON Schema can say what is returned.
    """
    if structured is False:
        return None
    annotation = _without_wrappers(annotation)
    if structured is None and _is_silent(annotation):
        return None
    if isinstance(annotation, type) and annotation in SCALARS:
        core, schema = SCALARS[annotation]
        return Output(annotation, schema, core)
    if annotation is EMPTY:
        raise TypeError(f"{name}: structured=True needs a return annotation, or output_schema=")
    from .pydantic_schemas import UNFIT, reason  # loads pydantic, which the commonest types do without

    try:
        return _read(annotation)
    except (*UNFIT, AttributeError, KeyError) as error:
        if structured is None:
            return None
        raise TypeError(f"{name}: what it returns has no JSON Schema: {reason(error)}") from error


def _read(annotation: Any) -> Output:
    if ours := next(filter(_is_ours, _types(annotation)), None):
        raise TypeError(f"{ours.__name__} is content, or a result, and no value")
    from .pydantic_schemas import core_schema, json_schema

    core = core_schema(annotation)
    schema = promised(plain(_rooted(json_schema(core, "serialization"))))
    if isinstance(annotation, type):
        schema.pop("title", None)  # the name of the class
    return Output(annotation, schema, cast(Node, core))


def _rooted(schema: Schema) -> Schema:
    """Spell out a root that is only a reference, as for a class that contains itself: a root says its type."""
    if "$ref" not in schema:
        return schema
    definition = schema.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/"), {})
    return {**definition, **{key: value for key, value in schema.items() if key != "$ref"}}


def _without_wrappers(annotation: Any) -> Any:
    """An annotation without the alternatives that stand for a whole result."""
    if typing.get_origin(annotation) not in (typing.Union, UnionType):
        return annotation
    members = typing.get_args(annotation)
    kept = [each for each in members if not (_is_ours(each) and each.__name__ in _OWN_WRAPPERS)]
    return annotation if len(kept) == len(members) or not kept else _union(tuple(kept))


def _union(members: tuple[Any, ...]) -> Any:
    return typing.Union[members]  # noqa: UP007 (made of what is only known now)


def _is_silent(annotation: Any) -> bool:
    """Whether an annotation says no more than text, nothing, anything or content."""
    if typing.get_origin(annotation) is Annotated:
        return _is_silent(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return all(map(_is_silent, typing.get_args(annotation)))
    if any(annotation is each for each in (*_SILENT, *_LISTS)) or any(map(_is_ours, _types(annotation))):
        return True
    return typing.get_origin(annotation) in _LISTS and any(map(_is_open, typing.get_args(annotation)))


def _is_open(annotation: Any) -> bool:
    """Whether an annotation lets anything in, content too: what a list of it holds is seen in each value."""
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return any(map(_is_open, typing.get_args(annotation)))
    return annotation is Any or annotation is object


def _types(annotation: Any) -> Iterator[Any]:
    """Give an annotation and everything that stands in it."""
    yield annotation
    for each in typing.get_args(annotation):
        yield from _types(each)


def _is_ours(kind: object) -> bool:
    return isinstance(kind, type) and kind.__module__.startswith("mcport.") and ".examples." not in kind.__module__


def _keeps_its_promise(annotation: object) -> bool:
    """Whether an instance of exactly this class is what the annotation says, without a look inside."""
    if not isinstance(annotation, type):
        return False
    return annotation in SCALARS or is_pydantic_class(annotation) or dataclasses.is_dataclass(annotation)


def _serializer(core: Node) -> Write:
    """Compile a serializer that writes numbers that JSON lacks bare, so that they are found; pydantic writes null.

    An author who chose something else in a model's configuration gets that.
    """
    compiled: Any = SchemaSerializer
    schema, config = _with_constants(core), {"ser_json_inf_nan": "constants"}
    try:
        serializer = compiled(schema, config, _use_prebuilt=False)
    except TypeError:
        serializer = compiled(schema, config)
    write: Callable[..., bytes] = serializer.to_json
    return lambda value: write(value, by_alias=True, warnings="error")


def _with_constants(node: Any) -> Any:
    """A core schema with that choice in the configuration of everything that has one of its own."""
    if isinstance(node, list):
        return [_with_constants(each) for each in node]
    if isinstance(node, tuple):
        return tuple(_with_constants(each) if isinstance(each, dict) else each for each in node)
    if not isinstance(node, dict):
        return node
    result = {key: value if key in _DATA else _with_constants(value) for key, value in node.items()}
    if node.get("type") in ("model", "dataclass", "typed-dict"):
        result["config"] = {"ser_json_inf_nan": "constants", **(node.get("config") or {})}
    return result


_DATA = frozenset({"metadata", "expected", "default", "members", "config", "function", "discriminator"})
"""Where core schemas hold what is no schema."""


def _holds_anything(node: Any) -> bool:
    if isinstance(node, dict):
        return node.get("type") == "any" or any(_holds_anything(node[key]) for key in node.keys() - _DATA)
    return isinstance(node, list | tuple) and any(map(_holds_anything, node))


def _line(error: ValidationError) -> str:
    """Say where a value is not of its type, and what it must be; pydantic's text does not show the value."""
    first = error.errors(include_url=False, include_context=False)[0]
    more = error.error_count() - 1
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
    got = "" if first["type"] == "missing" else f", got {type(first['input']).__name__}"
    text = f"field '{where}': {first['msg']}{got}" if where else f"{first['msg']}{got}"
    return text + (f" (and {more} more)" if more else "")


def _serialization_line(error: PydanticSerializationError) -> str:
    """Say which field could not be written, without its value."""
    text = " ".join(str(error).split())
    field = text.partition("field_name='")[2].partition("'")[0]
    kind = text.partition("input_type=")[2].partition("]")[0]
    expected = text.partition("Expected `")[2].partition("`")[0]
    if not (expected and kind):
        return text.partition(" [input")[0]
    return f"{f'field {field!r}' if field else 'the value'} must be {expected}, got {kind}"
