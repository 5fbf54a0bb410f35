"""Rules for what a program says to mcport: what a value may be, and the one line for what it may not.

Whoever writes a server or a host learns of a slip where it was made, by the name that was written there. It knows no
option by its name, and is loaded by whoever says more than the least. Below: the facade types, when a rule is of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

Rule: TypeAlias = Callable[[str, Any], None]
"""Raises TypeError or ValueError, in one line, for a value that cannot stand under this name."""


def check(given: Mapping[str, object], rules: Mapping[str, Rule]) -> None:
    """Hold what was given against the rules of the same names; a name without a rule is judged elsewhere."""
    for name, value in given.items():
        if name in rules:
            rules[name](name, value)


def of_kind(words: str, *kinds: type, fits: Callable[[Any], bool] | None = None) -> Rule:
    """Return the rule for values of some types; `words` say what they are, and `fits` which of them will do."""

    def rule(name: str, value: Any) -> None:
        if not isinstance(value, kinds) or (type(value) is bool and bool not in kinds):
            raise TypeError(f"{name} is {words}, not {type(value).__name__}")
        if fits is not None and not fits(value):
            raise ValueError(f"{name} is {words}, not {value!r:.60}")

    return rule


def of_model(name_of_type: str, example: str) -> Rule:
    """Return the rule for values of a facade type, or mappings that can be read as one."""

    def rule(name: str, value: Any) -> None:
        from pydantic import ValidationError

        from mcport.spec import types
        from mcport.spec.model import Model, first_fault

        kind: type[Model] = getattr(types, name_of_type)
        if not isinstance(value, kind | Mapping):
            raise TypeError(f"{name} is an object such as {example}, not {type(value).__name__}")
        try:
            kind.model_validate(value).to_json()
        except ValidationError as error:
            raise ValueError(f"{name}: {first_fault(error)}; write it as {example}") from None
        except ValueError as error:
            raise ValueError(f"{name} cannot be JSON: {error}") from None

    return rule


def list_of(rule: Rule, example: str) -> Rule:
    """Return the rule for lists of which each member keeps a rule."""

    def list_rule(name: str, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} is a list, such as [{example}], not {type(value).__name__}")
        for index, each in enumerate(value):
            rule(f"{name}[{index}]", each)

    return list_rule


def with_methods(words: str, *methods: str) -> Rule:
    """Return the rule for objects that have these methods, of whatever class."""

    def rule(name: str, value: Any) -> None:
        for method in methods:
            if not callable(getattr(value, method, None)):
                raise TypeError(f"{name} is {words}: {type(value).__name__} has no method {method!r}")

    return rule


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string, not {type(value).__name__}")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{name} has half of a character in it, which no message can carry: {value!a:.60}")


def _json(name: str, value: Any) -> None:
    from mcport.core.jsonrpc import dump

    try:
        dump(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be JSON: {error}") from None


TEXT: Final[Rule] = _text
JSON: Final[Rule] = _json
FLAG: Final = of_kind("True or False", bool)
FUNCTION: Final = of_kind("a function", Callable)  # type: ignore[arg-type]
SEVERAL: Final = of_kind("a list", Iterable)
SECONDS: Final = of_kind("a number of seconds", int, float)
COUNT: Final = of_kind("a number, at least 1", int, fits=lambda value: value >= 1)
SIZE: Final = of_kind("a number of bytes, at least 0", int, fits=lambda value: value >= 0)
ICON: Final = "Icon(src='https://example.com/icon.png')"
ICONS: Final = list_of(of_model("Icon", ICON), ICON)
