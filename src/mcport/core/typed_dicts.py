"""Typed dicts of `typing` before Python 3.12, made over into those that pydantic can read.

Older Pythons do not keep which of inherited keys are required as pydantic needs it, so pydantic refuses them; what
they do keep is enough here. Refuses to know what annotations are for. Below sits the standard library.
"""

import sys
import typing
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, cast

import typing_extensions

__all__ = ["readable"]

_REQUIRED = (typing.Required, typing_extensions.Required)
_NOT_REQUIRED = (typing.NotRequired, typing_extensions.NotRequired)
_KNOWN: dict[type, type] = {}


def readable(annotation: object) -> object:
    """Return an annotation in which pydantic can read every typed dict that stands in it by name."""
    return annotation if sys.version_info >= (3, 12) else _made_over(annotation)


def _made_over(annotation: object) -> object:
    if isinstance(annotation, type) and typing.is_typeddict(annotation):
        return _typed_dict(annotation)
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Literal:
        return annotation
    changed = tuple(_made_over(each) for each in arguments)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return annotation
    return _with_arguments(annotation, changed)


def _with_arguments(annotation: object, arguments: tuple[object, ...]) -> object:
    origin: Any = typing.get_origin(annotation)
    if origin is Annotated:
        return Annotated[(arguments[0], *annotation.__metadata__)]  # type: ignore[attr-defined]
    if origin in (UnionType, typing.Union):
        return typing.Union[arguments]  # noqa: UP007 (made of what is only known now)
    return origin[arguments]


def _typed_dict(kind: type) -> type:
    """Make one over, once; one that contains itself finds what is being made."""
    if kind in _KNOWN:
        return _KNOWN[kind]
    make = cast("Callable[..., Any]", typing_extensions.TypedDict)
    made = _KNOWN[kind] = make(kind.__name__, {})
    hints = typing.get_type_hints(kind, include_extras=True)
    keys: frozenset[str] = kind.__required_keys__  # type: ignore[attr-defined]
    required = frozenset(name for name, hint in hints.items() if _is_required(hint, name in keys))
    made.__annotations__ = {name: _marked(_made_over(_bare(hint)), name in required) for name, hint in hints.items()}
    made.__required_keys__, made.__optional_keys__ = required, frozenset(hints) - required
    made.__doc__, made.__module__ = kind.__doc__, kind.__module__
    if hasattr(kind, "__pydantic_config__"):
        made.__pydantic_config__ = kind.__pydantic_config__
    return cast(type, made)


def _is_required(hint: object, otherwise: bool) -> bool:
    """A mark decides, which Python does not see while annotations are still text."""
    origin = typing.get_origin(hint)
    return True if origin in _REQUIRED else False if origin in _NOT_REQUIRED else otherwise


def _bare(hint: object) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) in (*_REQUIRED, *_NOT_REQUIRED) else hint


def _marked(hint: Any, required: bool) -> Any:
    return typing_extensions.Required[hint] if required else typing_extensions.NotRequired[hint]
