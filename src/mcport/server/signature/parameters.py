"""The parameters of a callable with their annotations resolved, and a plain refusal of what cannot be served.

Knows signatures, partials and annotations that are text. Refuses to know JSON and docstrings. Below sit
`callables` and the standard library.
"""

import inspect
import re
import sys
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Collection, Mapping
from inspect import Parameter as Declared
from types import FunctionType, UnionType

from mcport.record import Record

from .callables import AnyCallable, fixed_keywords, heart

if sys.version_info >= (3, 14):  # pragma: no cover
    import annotationlib

__all__ = ["EMPTY", "Parameter", "Parameters", "Reading", "read_parameters"]

EMPTY = Declared.empty
"""Stands for "no annotation" and "no default", as in `inspect`."""

_NOT_BY_NAME = {
    Declared.POSITIONAL_ONLY: "positional-only parameter '{}' cannot be served: arguments come by name (remove '/')",
    Declared.VAR_POSITIONAL: "parameter '*{}' cannot be served: arguments come by name (take a list instead)",
    Declared.VAR_KEYWORD: "parameter '**{}' cannot be served: name each argument, or take one dict",
}

_STEP_BY_STEP = (AsyncIterator, AsyncIterable, AsyncGenerator)


class Parameter(Record):
    """One argument that callers give: its name in Python, its annotation (`Any` if none) and its default."""

    name: str
    annotation: object
    default: object


class Parameters(Record):
    """All that callers give, the name of the parameter that takes the context, and the return annotation.

    `marked` holds the parameters that bear a mark: they are no arguments.
    """

    arguments: tuple[Parameter, ...]
    context: str | None
    returns: object
    marked: Mapping[str, object]


class Reading(Record):
    """How to read a callable.

    Attributes:
        name: under which name errors speak of it.
        context_type: the class by which a parameter asks for the context.
        injected: parameters that somebody else fills in.
        names: further names for annotations that are text.
        mark_type: the class of marks by which a parameter, in its default or its annotation, asks to be filled in.
        makes_value: whether it makes a value for others: then a class, or a function that yields, will do.
    """

    name: str
    context_type: type | None = None
    injected: Collection[str] = ()
    names: Mapping[str, object] | None = None
    mark_type: type | None = None
    makes_value: bool = False

    def refuse(self, text: str) -> TypeError:
        """The error that says in one line why this callable cannot be served."""
        return TypeError(f"{self.name}: {text}")


def read_parameters(function: AnyCallable, reading: Reading) -> Parameters:
    """Read what `function` takes.

    Raises:
        TypeError: with one line that names the function and the parameter that cannot be served.
    """
    _check_callable(function, reading)
    declared = _declared(function, reading)
    hidden = fixed_keywords(function) | frozenset(reading.injected)
    served = {name: each for name, each in declared.parameters.items() if name not in hidden}
    _check_parameters(served, declared, function, reading)
    marked = _marked_by_default(served, reading)
    raw = {name: each.annotation for name, each in served.items() if each.annotation is not EMPTY}
    for name in marked:
        raw.pop(name, None)
    if declared.return_annotation is not EMPTY:
        raw["return"] = declared.return_annotation
    hints = _resolve(raw, function, reading)
    _check_returned(hints.get("return"), reading)
    context = _context_parameter(hints, reading)
    marked |= _marked_by_annotation(hints, reading)
    arguments = tuple(
        Parameter(name, hints.get(name, typing.Any), each.default)
        for name, each in served.items()
        if name != context and name not in marked
    )
    return Parameters(arguments, context, hints.get("return", EMPTY), marked)


def _marked_by_default(served: Mapping[str, Declared], reading: Reading) -> dict[str, object]:
    if reading.mark_type is None:
        return {}
    return {name: each.default for name, each in served.items() if isinstance(each.default, reading.mark_type)}


def _marked_by_annotation(hints: Mapping[str, object], reading: Reading) -> dict[str, object]:
    if reading.mark_type is None:
        return {}
    marked: dict[str, object] = {}
    for name, hint in hints.items():
        if typing.get_origin(hint) is typing.Annotated and name != "return":
            for mark in typing.get_args(hint)[1:]:
                if isinstance(mark, reading.mark_type):
                    marked[name] = mark
    return marked


def _check_callable(function: AnyCallable, reading: Reading) -> None:
    if isinstance(function, type) and not reading.makes_value:
        method = f"{function.__name__}(...).method"
        raise reading.refuse(f"a class cannot be served; give a function, {method}, or an object with __call__")
    if isinstance(function, classmethod):
        raise reading.refuse("a classmethod is served once its class exists: give the bound method")
    if not callable(function):
        raise reading.refuse(f"not a callable but {type(function).__name__}")
    inner = heart(function)
    if not reading.makes_value and (inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)):
        raise reading.refuse("a function that yields cannot be served; collect the values and return them in a list")


def _check_returned(returns: object, reading: Reading) -> None:
    """What comes step by step cannot be sent in one answer, and only a generator can be told by looking at it."""
    if not reading.makes_value and (typing.get_origin(returns) or returns) in _STEP_BY_STEP:
        raise reading.refuse("an async iterator cannot be sent; collect the values and return them in a list")


def _declared(function: AnyCallable, reading: Reading) -> inspect.Signature:
    """The signature as written, with annotations left unresolved where Python allows that."""
    try:
        if sys.version_info >= (3, 14):  # pragma: no cover
            return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
        return inspect.signature(function)
    except (TypeError, ValueError):
        raise reading.refuse("Python knows no signature of it; wrap it in a function of your own") from None


def _check_parameters(
    served: Mapping[str, Declared], declared: inspect.Signature, function: AnyCallable, reading: Reading
) -> None:
    for name in reading.injected:
        if name not in declared.parameters:
            raise reading.refuse(f"'{name}' is to be injected, but there is no such parameter")
    for name, each in served.items():
        if each.kind in _NOT_BY_NAME:
            raise reading.refuse(_NOT_BY_NAME[each.kind].format(name))
    first = next(iter(served.values()), None)
    if first and first.name in ("self", "cls") and first.annotation is EMPTY and isinstance(function, FunctionType):
        raise reading.refuse(f"parameter '{first.name}' has no object; give the bound method")


def _resolve(raw: Mapping[str, object], function: AnyCallable, reading: Reading) -> dict[str, object]:
    """Evaluate annotations where the function was written; one by one only if that fails, to know whom to blame."""
    inner = heart(function)
    spaces = getattr(inner, "__globals__", {}), _local_names(inner, reading)
    try:
        return _evaluate(raw, *spaces)
    except Exception:
        return {name: _resolve_one(name, annotation, spaces, reading) for name, annotation in raw.items()}


def _local_names(inner: AnyCallable, reading: Reading) -> dict[str, object]:
    names = {each.__name__: each for each in getattr(inner, "__type_params__", ())}
    if isinstance(inner, FunctionType):
        for name, cell in zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
    return {**(reading.names or {}), **names}


def _evaluate(raw: Mapping[str, object], globals_: dict[str, object], locals_: dict[str, object]) -> dict[str, object]:
    """Let `typing` resolve the text in annotations, by way of a function that carries them."""

    def carrier() -> None: ...

    carrier.__annotations__ = dict(raw)
    return typing.get_type_hints(carrier, globals_, locals_, include_extras=True)


def _resolve_one(
    name: str, annotation: object, spaces: tuple[dict[str, object], dict[str, object]], reading: Reading
) -> object:
    try:
        return _evaluate({name: annotation}, *spaces)[name]
    except Exception as error:
        if name != "return" and _reads_as_context(annotation, reading.context_type):
            return reading.context_type
        whose = "the return annotation" if name == "return" else f"the annotation of parameter '{name}'"
        hint = "; import it at run time, not only under TYPE_CHECKING" if isinstance(error, NameError) else ""
        raise reading.refuse(f"cannot resolve {whose} ({' '.join(str(error).split())}){hint}") from error


def _reads_as_context(annotation: object, context_type: type | None) -> bool:
    """Whether text that cannot be resolved names the context's class, which is often imported for type checks only."""
    if _is_union(annotation):
        return any(_reads_as_context(each, context_type) for each in typing.get_args(annotation))
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", None)
    if context_type is None or not isinstance(text, str):
        return False
    plain = rf"(?:\w+\.)*{re.escape(context_type.__name__)}(?:\[.*\])?"
    return re.fullmatch(rf"(?:\w+\.)*Optional\[{plain}\]|{plain}(?:\s*\|\s*None)?", text.strip()) is not None


def _context_parameter(hints: Mapping[str, object], reading: Reading) -> str | None:
    if reading.context_type is None:
        return None
    found = [name for name, hint in hints.items() if name != "return" and _is_context(hint, reading.context_type)]
    if len(found) > 1:
        raise reading.refuse(f"parameters '{found[0]}' and '{found[1]}' both ask for the context; one is enough")
    return found[0] if found else None


def _is_context(annotation: object, context_type: type) -> bool:
    """Whether an annotation is the context's class, bare, with parameters, annotated, or as one of a union."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _is_context(typing.get_args(annotation)[0], context_type)
    if _is_union(annotation):
        return any(_is_context(each, context_type) for each in typing.get_args(annotation))
    candidate = origin or annotation
    return isinstance(candidate, type) and issubclass(candidate, context_type)


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in (typing.Union, UnionType)
