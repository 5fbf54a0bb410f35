"""Records behave as dataclasses with slots do, whatever they leave out when they are defined."""

from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from mcport.record import Record, changed


class Point(Record):
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Likewise:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    raw: bytes = field(default=b"", repr=False)


class Open(Record, frozen=False):
    x: int


class Wider(Open, frozen=False):
    y: int = 1


class Itself(Record, eq=False, kw_only=True):
    x: int
    y: int = 2

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is 0 or more")


def test_its_repr_is_that_of_a_dataclass() -> None:
    assert repr(Point(1, tags=["a"])) == repr(Likewise(1, tags=["a"])).replace("Likewise", "Point")


def test_equal_fields_of_one_class_are_equal_and_nothing_else_is() -> None:
    assert Point(1, 2) == Point(1, y=2)
    assert Point(1, 2) != Point(1, 3)
    assert Open(1) != Wider(1)
    assert Point(1, 0, [], b"") != (1, 0, [], b"")


def test_frozen_ones_have_a_hash_and_others_have_none() -> None:
    assert hash(Point(1, 2, tags=())) == hash(Point(1, 2, tags=()))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        hash(Open(1))


def test_without_equality_each_is_itself_only() -> None:
    one, other = Itself(x=1), Itself(x=1)
    assert one != other
    assert len({one, other}) == 2


def test_a_frozen_one_cannot_be_changed_and_another_can() -> None:
    point, other = Point(1), Open(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    other.x = 2
    assert (point.x, other.x) == (1, 2)


def test_it_has_no_other_attributes_than_its_fields() -> None:
    with pytest.raises(AttributeError):
        Wider(1).z = 3  # type: ignore[attr-defined]
    assert not hasattr(Wider(1), "__dict__")


def test_each_one_gets_a_value_of_its_own_from_a_factory() -> None:
    one, other = Point(1), Point(1)
    one.tags.append("a")
    assert (one.tags, other.tags) == (["a"], [])


def test_what_is_missing_or_unknown_is_refused_from_the_first_one_on() -> None:
    class New(Record):
        x: int

    for _ in range(2):
        with pytest.raises(TypeError, match="'x'"):
            New()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="'z'"):
            New(1, z=2)  # type: ignore[call-arg]
    assert New(3).x == 3


def test_fields_that_are_named_only_take_no_places_and_the_check_after_runs() -> None:
    with pytest.raises(TypeError):
        Itself(1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="0 or more"):
        Itself(x=-1)


def test_a_record_of_a_record_has_the_fields_of_both_in_their_order() -> None:
    assert repr(Open(5)) == "Open(x=5)"
    match Wider(1, 2):
        case Wider(x, y):
            assert (x, y) == (1, 2)


def test_a_changed_copy_leaves_the_first_as_it_was() -> None:
    point = Point(1, 2)
    assert changed(point, y=3) == Point(1, 3)
    assert point.y == 2
