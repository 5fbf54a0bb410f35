"""What `Signature.of` reads from callables of every kind, and what it refuses in one line."""

import functools
import inspect
import sys
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, Generic, Optional, TypeVar

import pytest

from mcport.server.signature import Signature

State = TypeVar("State")


class Context(Generic[State]):
    """Stands for the context that a handler may ask for."""


class Special(Context[int]):
    """A context with more to offer."""


class Tools:
    """Holds one function of every kind."""

    def method(self, a: int) -> str:
        """A method."""
        return str(a)

    @classmethod
    def of_class(cls, a: int) -> None: ...

    @staticmethod
    def static(a: int) -> None: ...

    async def waits(self, a: int) -> None: ...


class Adder:
    """Adds."""

    async def __call__(self, a: int, b: int = 2) -> int:
        return a + b


class Counter:
    """Counts."""

    def __call__(self, a: int) -> int:
        """Count on."""
        return a


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


async def add_later(a: int, b: int) -> int:
    return a + b


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def module(source: str) -> dict[str, Any]:
    """Run source text as a module of its own, and return its names."""
    made = ModuleType("written_for_a_test")
    exec(compile(source, "written_for_a_test.py", "exec", dont_inherit=True), made.__dict__)
    return made.__dict__


def arguments(signature: Signature) -> list[str]:
    return list(signature.input_schema["properties"])


@pytest.mark.parametrize(
    ("function", "name", "taken"),
    [
        (add, "add", ["a", "b"]),
        (Tools().method, "method", ["a"]),
        (Tools.of_class, "of_class", ["a"]),
        (Tools.static, "static", ["a"]),
        (staticmethod(add), "add", ["a", "b"]),
        (Adder(), "Adder", ["a", "b"]),
        (functools.partial(add, 1), "add", ["b"]),
        (functools.partial(add, b=1), "add", ["a"]),
        (functools.partial(functools.partial(add, b=1), 1), "add", []),
        (functools.partial(Tools().method), "method", ["a"]),
        (functools.partial(Adder(), b=3), "Adder", ["a"]),
        (logged(add), "add", ["a", "b"]),
        (logged(functools.lru_cache(add)), "add", ["a", "b"]),
        (functools.lru_cache(add), "add", ["a", "b"]),
    ],
)
def test_callables_of_every_kind_are_read(function: Callable[..., object], name: str, taken: list[str]) -> None:
    signature = Signature.of(function)
    assert signature.name == name
    assert arguments(signature) == taken


def test_an_argument_that_a_partial_fixed_is_neither_shown_nor_taken() -> None:
    def fetch(page: str, key: str, database: object) -> None: ...

    signature = Signature.of(functools.partial(fetch, key="secret", database=object()))
    assert "secret" not in str(signature.input_schema)
    assert signature.bind({"page": "x"}) == {"page": "x"}
    with pytest.raises(ValueError, match="unknown argument 'key'"):
        signature.bind({"page": "x", "key": "y"})


def test_a_name_may_be_given_and_a_lambda_needs_one() -> None:
    assert Signature.of(add, name="plus").name == "plus"
    assert Signature.of(lambda a: a, name="same").name == "same"
    with pytest.raises(TypeError, match=r"^a lambda has no name; give it one$"):
        Signature.of(lambda a: a)


@pytest.mark.parametrize(
    ("function", "description"),
    [
        (add, "Add two numbers."),
        (Adder(), "Adds."),
        (Counter(), "Count on."),
        (functools.partial(add, 1), "Add two numbers."),
    ],
)
def test_the_docstring_is_the_one_about_the_call(function: Callable[..., object], description: str) -> None:
    assert Signature.of(function).description == description
    assert Signature.of(function).summary == description


def test_descriptions_of_arguments_leave_the_text_and_stand_in_the_schema() -> None:
    def area(width: float, height: Annotated[float, "how high"] = 1.0) -> float:
        """Compute an area.

        It is never negative.

        Args:
            width: how wide
            height: not read, since the annotation says it

        Returns:
            width times height
        """
        return width * height

    signature = Signature.of(area)
    assert signature.summary == "Compute an area."
    assert signature.description.split("\n\n") == [
        "Compute an area.",
        "It is never negative.",
        "Returns:\n    width times height",
    ]
    assert signature.input_schema["properties"] == {
        "width": {"type": "number", "description": "how wide"},
        "height": {"type": "number", "description": "how high", "default": 1.0},
    }


def test_a_parameter_without_annotation_takes_anything() -> None:
    def anything(a, b=3): ...  # type: ignore[no-untyped-def]

    signature = Signature.of(anything)
    assert signature.input_schema["properties"] == {"a": {}, "b": {"default": 3}}
    assert signature.bind({"a": [None]}) == {"a": [None]}


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    def nothing() -> None: ...

    assert Signature.of(nothing).input_schema == {"type": "object", "properties": {}, "additionalProperties": False}
    assert Signature.of(nothing).bind({}) == {}


def test_the_return_annotation_is_resolved() -> None:
    assert Signature.of(add).returns is int
    made = module("from __future__ import annotations\nclass Weather: ...\ndef now() -> Weather: ...")
    assert Signature.of(made["now"]).returns is made["Weather"]
    assert Signature.of(lambda: 1, name="one").returns is inspect.Signature.empty


# Who waits


async def awaits(a: int) -> None:
    await add_later(a, a)


async def loops(a: AsyncIterator[int]) -> None:
    async for _ in a:
        pass


async def enters(a: Any) -> None:
    async with a:
        pass


async def collects(a: Any) -> list[int]:
    return [each async for each in a]


async def awaits_rarely(a: Any) -> None:
    try:
        return
    finally:
        if a:
            await a


async def defines() -> Any:
    async def inner() -> None:
        await add_later(1, 2)

    return inner


@pytest.mark.parametrize(
    ("function", "is_async", "may_suspend"),
    [
        (add, False, True),
        (add_later, True, False),
        (awaits, True, True),
        (awaits_rarely, True, True),
        (enters, True, True),
        (defines, True, False),
        (Tools().waits, True, False),
        (Adder(), True, False),
        (functools.partial(add_later, 1), True, False),
        (functools.partial(Adder(), 1), True, False),
        (logged(add_later), False, True),
    ],
)
def test_it_is_known_who_waits(function: Callable[..., object], is_async: bool, may_suspend: bool) -> None:
    signature = Signature.of(function)
    assert (signature.is_async, signature.may_suspend) == (is_async, may_suspend)


@pytest.mark.parametrize("function", [loops, collects])
def test_async_loops_wait(function: Callable[..., object]) -> None:
    signature = Signature.of(functools.partial(function, a=None))
    assert (signature.is_async, signature.may_suspend) == (True, True)


# The context


def bare(ctx: Context[Any], a: int) -> None: ...
def with_state(a: int, ctx: Context[int]) -> None: ...
def special(a: int, ctx: Special) -> None: ...
def optional(a: int, ctx: Optional[Context[int]] = None) -> None: ...  # noqa: UP045
def union(a: int, ctx: Context[int] | None = None) -> None: ...
def annotated(a: int, ctx: Annotated[Context[int], "ours"]) -> None: ...
def quoted(a: int, ctx: "Context[int]") -> None: ...
def quoted_inside(a: int, ctx: Optional["Context[int]"] = None) -> None: ...
def keyword_only(a: int, *, ctx: Context[int]) -> None: ...


@pytest.mark.parametrize(
    "function", [bare, with_state, special, optional, union, annotated, quoted, quoted_inside, keyword_only]
)
def test_the_context_is_found_by_its_annotation_and_is_no_argument(function: Callable[..., object]) -> None:
    signature = Signature.of(function, context_type=Context)
    assert signature.context_parameter == "ctx"
    assert arguments(signature) == ["a"]
    assert signature.bind({"a": 1}) == {"a": 1}
    with pytest.raises(ValueError, match=r"unknown argument 'ctx' \(it takes a\)"):
        signature.bind({"a": 1, "ctx": {}})


def test_without_the_annotation_there_is_no_context() -> None:
    def forecast(ctx: str) -> None: ...

    signature = Signature.of(forecast, context_type=Context)
    assert signature.context_parameter is None
    assert arguments(signature) == ["ctx"]


@pytest.mark.parametrize(
    "annotation",
    [
        "Context",
        "Context | None",
        "Optional[Context]",
        "Context[Unknown]",
        "sdk.Context",
        "typing.Optional[Context[int]]",
    ],
)
def test_a_context_imported_for_type_checks_only_is_found(annotation: str) -> None:
    made = module(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING, Optional\n"
        "if TYPE_CHECKING:\n    from somewhere import Context, Unknown, sdk\n"
        f"def tool(a: int, ctx: {annotation} = None) -> str: ..."
    )
    signature = Signature.of(made["tool"], context_type=Context)
    assert signature.context_parameter == "ctx"
    assert signature.input_schema["properties"] == {"a": {"type": "integer"}}
    assert signature.returns is str


def test_a_context_that_is_text_inside_an_optional_is_found_too() -> None:
    made = module('from typing import Optional\ndef tool(a: int, ctx: Optional["Context"] = None) -> str: ...')
    assert Signature.of(made["tool"], context_type=Context).context_parameter == "ctx"


def test_injected_parameters_are_no_arguments() -> None:
    def query(sql: str, database: Iterator[int]) -> None: ...

    signature = Signature.of(query, injected=frozenset({"database"}))
    assert arguments(signature) == ["sql"]


def test_local_classes_are_found_by_closure_and_by_given_names() -> None:
    @dataclass
    class Point:
        x: int

    def move(to: "Point") -> None: ...

    def turn(around: "Point") -> type:
        return Point

    with pytest.raises(TypeError, match="Point"):
        Signature.of(move)
    assert Signature.of(move, names={"Point": Point}).bind({"to": {"x": 1}}) == {"to": Point(1)}
    assert Signature.of(turn).bind({"around": {"x": 1}}) == {"around": Point(1)}


def test_annotations_are_read_where_the_function_was_written() -> None:
    made = module(
        "from __future__ import annotations\n"
        "import functools\n"
        "class Colour(str): ...\n"
        "Length = int\n"
        "def paint(length: Length) -> Colour: ...\n"
    )
    signature = Signature.of(logged(made["paint"]))
    assert signature.input_schema["properties"] == {"length": {"type": "integer"}}
    assert signature.returns is made["Colour"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are written this way since Python 3.12")
def test_type_parameters_are_names_for_annotations() -> None:  # pragma: no cover
    made = module("from __future__ import annotations\ndef first[T: int](items: list[T]) -> T: ...")
    assert Signature.of(made["first"]).input_schema["properties"]["items"]["type"] == "array"


# Refusals

HAS_NONE = "has no JSON Schema; use Python's basic types, a dataclass, a TypedDict or a pydantic model"


def positional(a: int, /, b: int) -> None: ...
def variadic(*numbers: int) -> None: ...
def keywords(a: int, **rest: int) -> None: ...
def two(one: Context[int], other: Context[int]) -> None: ...
def unserved(a: int, found: "typing.Match[str]") -> None: ...
def nested(a: "list[dict[str, Iterator[Callable[[], int]]]]") -> None: ...
def undefined(a: "Nowhere", b: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def malformed(a: "list[") -> None: ...  # type: ignore[valid-type]  # noqa: F722
def undefined_return() -> "Nowhere": ...  # type: ignore[name-defined]  # noqa: F821
def generates() -> Iterator[int]:
    yield 1


async def generates_later() -> AsyncIterator[int]:
    yield 1


def gives_later() -> AsyncIterator[int]:
    return generates_later()


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (positional, "positional: positional-only parameter 'a' cannot be served: arguments come by name (remove '/')"),
        (variadic, "variadic: parameter '*numbers' cannot be served: arguments come by name (take a list instead)"),
        (keywords, "keywords: parameter '**rest' cannot be served: name each argument, or take one dict"),
        (two, "two: parameters 'one' and 'other' both ask for the context; one is enough"),
        (
            unserved,
            f"unserved: parameter 'found' cannot be given as JSON: Match[str] {HAS_NONE}",
        ),
        (
            nested,
            "nested: parameter 'a' cannot be given as JSON: list[dict[str, collections.abc.Iterator[collections.abc."
            f"Callable[[], int]]]] {HAS_NONE}",
        ),
        (
            undefined,
            "undefined: cannot resolve the annotation of parameter 'a' (name 'Nowhere' is not defined); "
            "import it at run time, not only under TYPE_CHECKING",
        ),
        (
            undefined_return,
            "undefined_return: cannot resolve the return annotation (name 'Nowhere' is not defined); "
            "import it at run time, not only under TYPE_CHECKING",
        ),
        (Tools.method, "method: parameter 'self' has no object; give the bound method"),
        (Tools, "Tools: a class cannot be served; give a function, Tools(...).method, or an object with __call__"),
        (Tools.__dict__["of_class"], "of_class: a classmethod is served once its class exists: give the bound method"),
        (generates, "generates: a function that yields cannot be served; collect the values and return them in a list"),
        (
            generates_later,
            "generates_later: a function that yields cannot be served; collect the values and return them in a list",
        ),
        (gives_later, "gives_later: an async iterator cannot be sent; collect the values and return them in a list"),
        (len, "len: positional-only parameter 'obj' cannot be served: arguments come by name (remove '/')"),
        (
            dict.fromkeys,
            "fromkeys: positional-only parameter 'iterable' cannot be served: arguments come by name (remove '/')",
        ),
        (max, "max: Python knows no signature of it; wrap it in a function of your own"),
        (3, "int: not a callable but int"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(function: Callable[..., object], line: str) -> None:
    with pytest.raises(TypeError) as refusal:
        Signature.of(function, context_type=Context)
    assert str(refusal.value).replace("typing.", "").replace("re.Match", "Match") == line


def test_an_annotation_that_is_no_python_is_refused_by_the_parameter_s_name() -> None:
    with pytest.raises(TypeError, match=r"^malformed: cannot resolve the annotation of parameter 'a' \("):
        Signature.of(malformed)


def test_a_pattern_that_is_none_is_refused_when_it_is_registered() -> None:
    from pydantic import Field

    def search(a: int, text: Annotated[str, Field(pattern="(")]) -> None: ...

    with pytest.raises(TypeError, match=r"^search: parameter 'text' cannot be served: .*regex.*$"):
        Signature.of(search)


def test_a_parameter_with_several_aliases_is_refused() -> None:
    from pydantic import AliasChoices, Field

    def search(text: Annotated[str, Field(validation_alias=AliasChoices("a", "b"))]) -> None: ...

    with pytest.raises(
        TypeError, match=r"^search: parameter 'text' has several aliases; a caller can be told of one only$"
    ):
        Signature.of(search)


def test_an_injected_name_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^add: 'database' is to be injected, but there is no such parameter$"):
        Signature.of(add, injected=["database"])
