"""Reading results: from the JSON object that came to the type of the facade that its method has.

A type is loaded when the first result of its kind comes. Below: the method table and the facade.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcport.core.jsonrpc import JsonObject
from mcport.spec.methods import METHODS

from .icons import drop_bad_icons

if TYPE_CHECKING:
    from mcport.spec.model import Model

_READERS: dict[str, Callable[[JsonObject], Any]] = {}


def read_result(method: str, result: JsonObject) -> Any:
    """Return the typed result of a method; raises ValueError with one line for one that does not fit."""
    read = _READERS.get(method) or _reader(method)
    drop_bad_icons(method, result)
    try:
        return read(result)
    except ValueError as error:
        from mcport.spec.model import first_fault

        raise ValueError(f"the result does not fit {METHODS[method].result}: {first_fault(error)}") from None  # type: ignore[arg-type]


def _reader(method: str) -> Callable[[JsonObject], Any]:
    model: type[Model]
    if method == "tools/call":
        from .tool_calls.tool_result import ToolResult as model
    else:
        from mcport.spec import types

        model = getattr(types, METHODS[method].result or "Result")
    return _READERS.setdefault(method, model.from_wire)
