"""What the options of a Client may be.

What is not here is judged by the room that it is for. Loaded with the first option that is not the usual one. Below:
`core.rules`, `caching`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Final

from mcport.core.limits import Limits
from mcport.core.rules import FLAG, FUNCTION, SEVERAL, Rule, of_kind, of_model

from .caching import ResultCache

_WHO: Final = "Implementation(name='my-host', version='1.0')"
_IMPLEMENTATION: Final = of_model("Implementation", _WHO)


def _introduction(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        raise TypeError(f"{name} is an object such as {_WHO}, not {type(value).__name__}")
    _IMPLEMENTATION(name, value)


def _environment(name: str, value: Any) -> None:
    """Raises without a word of the values, which are often secret."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is a dict of strings, not {type(value).__name__}")
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"{name}[{key!r}] is a string, not {type(text).__name__}")


def _roots(name: str, value: Any) -> None:
    if not callable(value) and not isinstance(value, Iterable):
        words = "a list of paths, file:// URIs or Root objects, or a function"
        raise TypeError(f"{name} is {words}, not {type(value).__name__}")


RULES: Final[Mapping[str, Rule]] = {
    "env": _environment,
    "cwd": of_kind("a path", str, PathLike),
    "inherit_env": FLAG,
    "stderr": FUNCTION,
    "spawn_policy": FUNCTION,
    "progress": FUNCTION,
    "roots": _roots,
    "log": FUNCTION,
    "restart": of_kind("True, False or how many times in a row", bool, int, fits=lambda value: value >= 0),
    "cache": of_kind("True, False or a ResultCache", bool, ResultCache),
    "extensions": SEVERAL,
    "changed": FUNCTION,
    "info": _introduction,
    "limits": of_kind("Limits, such as Limits(list_pages=10)", Limits),
    "trace": FUNCTION,
}
"""The rule of each option."""
