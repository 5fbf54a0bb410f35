"""Why a value cannot be sent: which part of it is to blame, in one line for the log.

It is asked only when writing a value has failed, and then walks through it. Below: what tells pydantic's models.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic_core import PydanticSerializationError, to_json

from mcport.spec.instances import is_pydantic_model

_DEEPEST: Final = 50
_MOST: Final = 100_000


class ResultUnsendable(ValueError):
    """What a handler returned cannot be sent. The text names the part and its type, never its value."""


class ReturnWrong(ResultUnsendable):
    """What a handler returned is not what it declares. The text names the field, never its value."""


def unsendable(value: object, error: Exception) -> ResultUnsendable:
    """Return the error that says which part of `value` could not be written; `error` is what the writer said."""
    found = next(_faults(value), None)
    reason = " ".join(str(error).split()) if found is None else found
    return ResultUnsendable(f"it returned {_kind(value)}, which cannot be sent: {reason}")


def lost_number(value: object, data: bytes) -> str | None:
    """Return what was NaN or infinite in a value and is null in its JSON `data`; None if nothing is.

    Models of pydantic write null for such numbers unless they are told otherwise; one that was told is obeyed.
    """
    if b"null" not in data:
        return None
    stack: list[tuple[str, object]] = [("", value)]
    for _ in range(_MOST):
        if not stack:
            return None
        where, part = stack.pop()
        if isinstance(part, float) and not math.isfinite(part):
            return f"{where or 'the value'} is {part} (JSON has only finite numbers)"
        if not (is_pydantic_model(part) and "ser_json_inf_nan" in part.model_config):
            stack.extend((_path(where, step), each) for step, each in _parts(part))
    return None


def _faults(value: object) -> Iterator[str]:
    """Walk through a value, breadth last, and tell of every part that is to blame itself."""
    stack: list[tuple[str, object, int]] = [("", value, 0)]
    for _ in range(_MOST):
        if not stack:
            return
        where, part, depth = stack.pop()
        fault = _own_fault(part)
        if fault is not None:
            yield f"{where or 'the value'} is {fault}"
        elif depth < _DEEPEST:
            stack.extend((_path(where, step), each, depth + 1) for step, each in reversed(_parts(part)))


def _parts(value: object) -> list[tuple[object, object]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if is_pydantic_model(value):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)]
    return []


def _own_fault(value: object) -> str | None:
    """What is wrong with a value that has no parts; None for one that has some, or that can be written."""
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} (JSON has only finite numbers)"
    if isinstance(value, Mapping | list | tuple | set | frozenset) or is_pydantic_model(value):
        return None
    if dataclasses.is_dataclass(value):
        return "a class" if isinstance(value, type) else None
    try:
        to_json(value)
    except (PydanticSerializationError, ValueError, UnicodeEncodeError):
        if isinstance(value, str):
            return "text with a lone surrogate, which UTF-8 cannot say"
        if isinstance(value, bytes | bytearray | memoryview):
            return f"{_kind(value)} that are no UTF-8 text"
        return _kind(value)
    return None


def _path(where: str, step: object) -> str:
    if isinstance(step, int):
        return f"{where}[{step}]"
    return f"{where}.{step}" if where else f"{step}"


def _kind(value: object) -> str:
    kind = type(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"an object of type {name}" if kind.__module__ != "builtins" or kind is object else f"a value of type {name}"
