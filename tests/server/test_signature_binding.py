"""Which JSON values are bound to which types, and the one plain line for those that are not (P22, P24)."""

import datetime
import enum
import ipaddress
import pathlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    Tag,
    model_validator,
)
from typing_extensions import TypedDict

from mcport.core.jsonrpc import parse_json
from mcport.server.signature import ArgumentsInvalid, Signature


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Lenient(enum.IntEnum):
    ONE = 1

    @classmethod
    def _missing_(cls, value: object) -> "Lenient":
        return cls.ONE


class Pair(NamedTuple):
    first: int
    second: str = "x"


class Options(TypedDict):
    limit: int
    order: NotRequired[str]


@dataclass
class Point:
    x: int
    y: int = 0


class Item(BaseModel):
    price: float
    count: int = 1
    note: str | None = None
    stock: int | None = 5


class Order(BaseModel):
    items: list[Item]
    by: str | None


class Cat(BaseModel):
    kind: Literal["cat"]
    cat: int


class Dog(BaseModel):
    kind: Literal["dog"]
    bone: str


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    when: datetime.datetime
    tags: tuple[str, ...]


class Node(BaseModel):
    value: int
    children: list["Node"] = []


class Range(BaseModel):
    low: int
    high: int

    @model_validator(mode="after")
    def ordered(self) -> "Range":
        if self.low > self.high:
            raise ValueError("low is above\nhigh")
        return self


def odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd")
    return value


def species(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, dict) else None


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Animal = Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(species)]
ID = "12345678-1234-5678-1234-567812345678"
UTC = datetime.UTC


def taking(annotation: object, *default: object) -> Signature:
    """The signature of a function `f` with one parameter `x`."""

    def f(x: Any) -> None: ...

    f.__annotations__ = {"x": annotation}
    f.__defaults__ = default
    return Signature.of(f)


@pytest.mark.parametrize(
    ("annotation", "given", "bound"),
    [
        (int, 1, 1),
        (int, 3.0, 3),
        (int, 10**30, 10**30),
        (float, 1, 1.0),
        (bool, True, True),
        (int | None, None, None),
        (int | None, 4, 4),
        (int | str, 1, 1),
        (int | str, "1", "1"),
        (int | str, 3.0, 3),
        (int | float, 3.0, 3.0),
        (str | int, 3, 3),
        (str | None, "null", "null"),
        (str | None, '{"k": 1}', '{"k": 1}'),
        (str | dict[str, int], '{"k": 1}', '{"k": 1}'),
        (str | list[int] | None, "[1]", "[1]"),
        (datetime.datetime | str, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        (datetime.datetime, "2026-01-31T12:00:00Z", datetime.datetime(2026, 1, 31, 12, tzinfo=UTC)),
        (datetime.date, "2026-01-31", datetime.date(2026, 1, 31)),
        (datetime.time, "12:30", datetime.time(12, 30)),
        (datetime.timedelta, "PT5S", datetime.timedelta(seconds=5)),
        (uuid.UUID, ID, uuid.UUID(ID)),
        (Annotated[uuid.UUID, Field(strict=True)], ID, uuid.UUID(ID)),
        (Annotated[tuple[int, ...], Field(strict=True)], [1], (1,)),
        (Decimal, "1.50", Decimal("1.50")),
        (Decimal, 0.1, Decimal("0.1")),
        (bytes, "abc", b"abc"),
        (pathlib.PurePosixPath, "/a", pathlib.PurePosixPath("/a")),
        (ipaddress.IPv4Address, "127.0.0.1", ipaddress.IPv4Address("127.0.0.1")),
        (re.Pattern[str], "a+", re.compile("a+")),
        (complex, "1j", 1j),
        (Colour, "red", Colour.RED),
        (Level, 2, Level.HIGH),
        (Level, 2.0, Level.HIGH),
        (Lenient, "anything", Lenient.ONE),
        (Literal["a", 1], 1, 1),
        (Literal["a", None], None, None),
        (list[int], [1, 2.0], [1, 2]),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2], (1, 2)),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (Sequence[int], [1], [1]),
        (Iterable[int], [1], [1]),
        (Pair, [1], Pair(1)),
        (Options, {"limit": 1}, {"limit": 1}),
        (Point, {"x": 1}, Point(1)),
        (Item, {"price": 1, "note": None, "count": None}, Item(price=1.0)),
        (Item, {"price": 1, "stock": None}, Item(price=1.0, stock=None)),
        (
            Strict,
            {"when": "2026-01-31T12:00:00Z", "tags": ["a"]},
            Strict(when=datetime.datetime(2026, 1, 31, 12, tzinfo=UTC), tags=("a",)),
        ),
        (Node, {"value": 1, "children": [{"value": 2.0}]}, Node(value=1, children=[Node(value=2)])),
        (Pet, {"kind": "cat", "cat": 1}, Cat(kind="cat", cat=1)),
        (Animal, {"kind": "dog", "bone": "b"}, Dog(kind="dog", bone="b")),
        (Json[list[int]], "[1]", [1]),
        (Annotated[int, Field(strict=False)], "5", 5),
        (Annotated[int, BeforeValidator(int)], "5", 5),
        (Any, {"a": [None]}, {"a": [None]}),
        (object, None, None),
        (list, [1, "a"], [1, "a"]),
    ],
)
def test_json_values_become_what_the_annotation_says(annotation: object, given: object, bound: object) -> None:
    result = taking(annotation).bind({"x": given})
    assert result == {"x": bound}
    assert type(result["x"]) is type(bound)


@pytest.mark.parametrize(
    ("annotation", "given", "line"),
    [
        (int, "x", "argument 'x' must be an integer, got 'x'"),
        (int, "5", "argument 'x' must be an integer, got '5'"),
        (int, 3.5, "argument 'x' must be an integer, got 3.5"),
        (int, True, "argument 'x' must be an integer, got true"),
        (int, None, "argument 'x' must be an integer, got null"),
        (float, "1", "argument 'x' must be a number, got '1'"),
        (float, False, "argument 'x' must be a number, got false"),
        (bool, 1, "argument 'x' must be true or false, got 1"),
        (bool, "true", "argument 'x' must be true or false, got 'true'"),
        (str, 1, "argument 'x' must be a string, got 1"),
        (int | None, "x", "argument 'x' must be an integer or null, got 'x'"),
        (None | int | str, [], "argument 'x' must be an integer, a string or null, got []"),
        (int | str, True, "argument 'x' must be an integer or a string, got true"),
        (Literal["auto"] | int, "x", "argument 'x' must be 'auto' or an integer, got 'x'"),
        (datetime.datetime, "x", "argument 'x' must be a date and time such as '2026-01-31T12:00:00Z', got 'x'"),
        (datetime.datetime, 5, "argument 'x' must be a date and time such as '2026-01-31T12:00:00Z', got 5"),
        (datetime.datetime, "5", "argument 'x' must be a date and time such as '2026-01-31T12:00:00Z', got '5'"),
        (datetime.date, "20260131", "argument 'x' must be a date such as '2026-01-31', got '20260131'"),
        (datetime.time, 1, "argument 'x' must be a time such as '12:00:00', got 1"),
        (datetime.timedelta, 5, "argument 'x' must be a duration such as 'PT1H30M', got 5"),
        (uuid.UUID, "x", "argument 'x' must be a UUID, got 'x'"),
        (Decimal, True, "argument 'x' must be a decimal number, got true"),
        (bytes, 1, "argument 'x' must be a string, got 1"),
        (pathlib.Path, 1, "argument 'x' must be a string, got 1"),
        (ipaddress.IPv4Address, 5, "argument 'x' must be a string, got 5"),
        (complex, 1, "argument 'x' must be a complex number, got 1"),
        (Colour, "blue", "argument 'x' must be 'red' or 'green', got 'blue'"),
        (Level, "1", "argument 'x' must be 1 or 2, got '1'"),
        (Level, True, "argument 'x' must be 1 or 2, got true"),
        (Literal[1, 2], True, "argument 'x' must be 1 or 2, got true"),
        (Literal[True], 1, "argument 'x' must be true, got 1"),
        (Literal["a", "b", None], "c", "argument 'x' must be 'a', 'b' or null, got 'c'"),
        (list[int], "12", "argument 'x' must be an array, got '12'"),
        (
            list[int],
            [1, "a", "b"],
            "argument 'x[1]' must be an integer, got 'a'; argument 'x[2]' must be an integer, got 'b'",
        ),
        (set[int], {}, "argument 'x' must be an array, got {}"),
        (Iterable[str], "abc", "argument 'x' must be an array, got 'abc'"),
        (dict[str, int], [1], "argument 'x' must be an object, got [1]"),
        (dict[str, int], {"a b": "c"}, "argument 'x['a b']' must be an integer, got 'c'"),
        (dict[int, str], {"a": "b"}, "key 'a' of argument 'x' must be an integer, got 'a'"),
        (dict[str, int] | list[int], {"a": "b"}, "argument 'x.a' must be an integer, got 'b'"),
        (Point, {"y": 1}, "argument 'x.x' is missing"),
        (Point, [], "argument 'x' must be an object, got []"),
        (
            Order,
            {"items": [{"price": 1}, {"price": 2}, {"price": "3"}], "by": None},
            "argument 'x.items[2].price' must be a number, got '3'",
        ),
        (Order, {"items": [], "by": 1}, "argument 'x.by' must be a string or null, got 1"),
        (
            Item,
            {"price": 1, "note": 1, "count": "1"},
            "argument 'x.count' must be an integer, got '1'; argument 'x.note' must be a string, got 1",
        ),
        (Cat | Dog, {"kind": "dog", "bone": 1}, "argument 'x.bone' must be a string, got 1"),
        (Cat | Dog | None, 1, "argument 'x' must be an object or null, got 1"),
        (Pet, {"kind": "cat", "cat": "x"}, "argument 'x.cat' must be an integer, got 'x'"),
        (Pet, {"kind": "cow"}, "argument 'x' must be an object whose 'kind' is 'cat' or 'dog', got {'kind': 'cow'}"),
        (Pet, {"kind": []}, "argument 'x' must be an object whose 'kind' is 'cat' or 'dog', got {'kind': []}"),
        (Pet, 1, "argument 'x' must be an object whose 'kind' is 'cat' or 'dog', got 1"),
        (Animal, {"kind": "cow"}, "argument 'x' must be an object of a known kind, got {'kind': 'cow'}"),
        (
            Node,
            {"value": 1, "children": [{"value": "x"}]},
            "argument 'x.children[0].value' must be an integer, got 'x'",
        ),
        (Annotated[int, Field(ge=0)], -1, "argument 'x' must be at least 0, got -1"),
        (Annotated[int, Field(gt=0)], 0.0, "argument 'x' must be greater than 0, got 0.0"),
        (Annotated[float, Field(lt=1.5)], 2, "argument 'x' must be less than 1.5, got 2"),
        (Annotated[int, Field(le=5)] | None, 6, "argument 'x' must be at most 5, got 6"),
        (Annotated[int, Field(multiple_of=5)], 6, "argument 'x' must be a multiple of 5, got 6"),
        (Annotated[str, Field(min_length=1)], "", "argument 'x' must be at least 1 character long, got ''"),
        (Annotated[str, Field(max_length=2)], "abc", "argument 'x' must be at most 2 characters long, got 'abc'"),
        (Annotated[str, Field(pattern="^a")], "b", "argument 'x' must match the pattern ^a, got 'b'"),
        (Annotated[list[int], Field(min_length=2)], [1], "argument 'x' must have at least 2 items, got [1]"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "argument 'x' must have at most 1 item, got [1, 2]"),
        (Annotated[int, AfterValidator(odd)], 2, "argument 'x' is refused: must be odd"),
        (Range, {"low": 2, "high": 1}, "argument 'x' is refused: low is above high"),
        (re.Pattern[str], "(", "argument 'x' must be a valid regular expression, got '('"),
        (Json[int], "x", "argument 'x' must be a string that holds JSON, got 'x'"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_one_plain_line(annotation: object, given: object, line: str) -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        taking(annotation).bind({"x": given})
    assert refusal.value.line == line
    assert str(refusal.value) == f"f: {line}"
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("annotation", "default", "given", "bound"),
    [
        (int, 5, {}, {}),
        (int, 5, {"x": None}, {}),
        (int | None, None, {"x": None}, {}),
        (int | None, 5, {"x": None}, {"x": None}),
        (list[int] | None, None, {"x": [1]}, {"x": [1]}),
        (Any, None, {"x": None}, {"x": None}),
        (int, Field(5, ge=1), {}, {"x": 5}),
        (int, Field(5, ge=1), {"x": None}, {"x": 5}),
        (list[int], Field(default_factory=list), {}, {"x": []}),
        (Annotated[int, Field(default=7)], 5, {}, {}),
        (Annotated[Item, "an item"], None, {"x": None}, {}),
    ],
)
def test_null_for_what_may_be_left_out_means_left_out_unless_it_is_a_value_of_its_own(
    annotation: object, default: object, given: dict[str, Any], bound: dict[str, Any]
) -> None:
    assert taking(annotation, default).bind(given) == bound


def test_a_null_that_is_a_value_stays_beside_one_that_means_left_out() -> None:
    def both(x: int | None, y: int = 1) -> None: ...

    assert Signature.of(both).bind({"x": None, "y": None}) == {"x": None}


def test_a_default_inside_the_annotation_is_filled_in() -> None:
    assert taking(Annotated[int, Field(default=7)]).bind({}) == {"x": 7}


def test_an_optional_argument_is_not_called_nullable_in_errors() -> None:
    with pytest.raises(ArgumentsInvalid, match=r"must be an integer, got 'a'$"):
        taking(int | None, None).bind({"x": "a"})


def add(a: int, b: int) -> int:
    return a + b


def forecast(city: str, days: int = 3, *, unit: str = "c") -> None: ...


def nothing() -> None: ...


def many(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "arguments", "line"),
    [
        (add, {"a": 1}, "argument 'b' is missing"),
        (add, {"a": "x", "b": 2}, "argument 'a' must be an integer, got 'x'"),
        (add, {"a": 1, "b": 2, "c": 3}, "unknown argument 'c' (it takes a, b)"),
        (add, {}, "argument 'a' is missing; argument 'b' is missing"),
        (nothing, {"a": 1}, "unknown argument 'a' (it takes no arguments)"),
        (
            forecast,
            {"cty": "Lyon", "days": "x", "zone": 1},
            "argument 'city' is missing; argument 'days' must be an integer, got 'x'; "
            "unknown argument 'cty', did you mean 'city'?; unknown argument 'zone' (it takes city, days, unit)",
        ),
        (
            many,
            {},
            "argument 'a' is missing; argument 'b' is missing; argument 'c' is missing; argument 'd' is missing; "
            "argument 'e' is missing; and 2 more",
        ),
    ],
)
def test_missing_and_unknown_arguments_are_named(
    function: Callable[..., object], arguments: dict[str, Any], line: str
) -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        Signature.of(function).bind(arguments)
    assert refusal.value.line == line


def test_an_alias_is_the_name_that_callers_use() -> None:
    def mail(from_: Annotated[str, Field(alias="from")], to: str = "me") -> None: ...

    signature = Signature.of(mail)
    assert signature.input_schema["required"] == ["from"]
    assert signature.bind({"from": "you"}) == {"from_": "you"}
    with pytest.raises(
        ArgumentsInvalid, match=r"unknown argument 'from_', did you mean 'from'\? \(it takes from, to\)"
    ):
        signature.bind({"from_": "you"})


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("y" * 500, 60),
        (["z" * 500] * 50, 60),
        ({"k": {"k": {"k": {"k": "v" * 99}}}}, 60),
        ({str(number): number for number in range(10_000)}, 60),
        ("two\nlines", 12),
        ([10**5000], 24),
    ],
)
def test_values_are_shown_short_and_on_one_line(given: object, shown: int) -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        taking(int).bind({"x": given})
    value = refusal.value.line.removeprefix("argument 'x' must be an integer, got ")
    assert len(value) <= shown
    assert "\n" not in value


def test_names_and_choices_of_any_length_are_cut() -> None:
    choice: Any = Literal.__getitem__(tuple(f"choice number {number}" for number in range(500)))
    with pytest.raises(ArgumentsInvalid) as refusal:
        taking(choice).bind({"x": "x", "n" * 10_000: 1})
    assert len(refusal.value.line) < 600


def test_the_bad_items_of_a_huge_array_are_not_all_looked_at() -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        taking(list[int]).bind({"x": ["a"] * 2_000})
    assert refusal.value.line == "argument 'x[0]' must be an integer, got 'a'"


def test_errors_without_number_are_counted() -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        Signature.of(nothing).bind({str(number): number for number in range(2_000)})
    assert refusal.value.line == "2,000 values are wrong, too many to list"


def test_a_key_that_looks_like_a_mark_of_ours_does_no_harm() -> None:
    with pytest.raises(ArgumentsInvalid, match="must be an integer"):
        taking(dict[str, int] | int).bind({"x": {"\0|0": "a", "\0|absent": "b"}})


def test_what_a_validator_raises_that_is_no_value_error_comes_out() -> None:
    def fail(value: int) -> int:
        raise KeyError(value)

    with pytest.raises(KeyError):
        taking(Annotated[int, AfterValidator(fail)]).bind({"x": 1})


def test_binding_leaves_the_arguments_as_they_were() -> None:
    arguments = {"city": "Lyon", "days": None}
    assert Signature.of(forecast).bind(arguments) == {"city": "Lyon"}
    assert arguments == {"city": "Lyon", "days": None}


def test_text_is_read_as_json_only_where_no_string_is_allowed() -> None:
    def page(
        number: int, ids: list[int], text: str | int, on: bool, day: datetime.date, size: int | None = None
    ) -> None: ...

    signature = Signature.of(page)
    texts = {"number": "5", "ids": "[1, 2]", "text": "7", "on": "true", "day": "2026-01-31", "size": "null"}
    assert signature.bind_texts(texts) == {
        "number": 5,
        "ids": [1, 2],
        "text": "7",
        "on": True,
        "day": datetime.date(2026, 1, 31),
    }


def test_text_that_does_not_fit_is_refused_as_it_came() -> None:
    with pytest.raises(ArgumentsInvalid) as refusal:
        Signature.of(add).bind_texts({"a": "x", "c": "1"})
    assert refusal.value.line == (
        "argument 'a' must be an integer, got 'x'; argument 'b' is missing; unknown argument 'c' (it takes a, b)"
    )


@pytest.mark.parametrize(
    ("annotation", "text", "line"),
    [
        (float, "1e400", "must be a finite number, got inf"),
        (list[float], "[-1e400]", "must be a finite number, got -inf"),
        (int, "1e400", "must be an integer, got inf"),
    ],
)
def test_numbers_that_python_reads_as_infinite_are_refused(annotation: Any, text: str, line: str) -> None:
    def take(value: Any) -> None: ...

    take.__annotations__["value"] = annotation
    with pytest.raises(ArgumentsInvalid) as caught:
        Signature.of(take).bind(parse_json(b'{"value": %s}' % text.encode()))
    assert line in caught.value.line
