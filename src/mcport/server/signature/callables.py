"""What a callable is before anybody calls it: its name, its text, its heart, and whether a call can wait.

Refuses to know parameters and annotations. Below sits only the standard library.
"""

import dis
import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType

__all__ = ["AnyCallable", "documentation", "fixed_keywords", "heart", "is_async", "may_suspend", "name_of", "shell"]

AnyCallable = Callable[..., object]

_LAYERS = 100
"""How many wrappers around one function are followed; a decorator that wraps itself would have no end."""

_WAITING = frozenset({"GET_AWAITABLE", "GET_AITER", "GET_ANEXT", "BEFORE_ASYNC_WITH", "SEND", "YIELD_VALUE"})
"""Instructions of which at least one stands wherever a coroutine's own code can be suspended (Python 3.11 to 3.14)."""

_WAITING_CODES = frozenset(dis.opmap[name] for name in _WAITING if name in dis.opmap)
_KNOWN_PYTHON = {"GET_AWAITABLE", "SEND", "YIELD_VALUE"} <= dis.opmap.keys()


def name_of(function: AnyCallable) -> str | None:
    """The name that a callable goes by; the class's name for an object with `__call__`, None for a lambda."""
    inner = shell(function)
    name = getattr(inner, "__name__", None) or type(inner).__name__
    return None if name == "<lambda>" else str(name)


def documentation(function: AnyCallable) -> str:
    """The docstring that describes a call, with its indentation removed; empty if there is none.

    For an object with `__call__` that is the method's docstring, or else its class's. A partial's own text
    (that of `functools.partial`) never counts.
    """
    inner = shell(function)
    if callable_object(inner):
        text = getattr(type(inner).__call__, "__doc__", None) or type(inner).__doc__
    else:
        text = getattr(inner, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def shell(function: AnyCallable) -> AnyCallable:
    """The callable inside partials, bound methods and static methods; decorators are left on."""
    for _ in range(_LAYERS):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType | staticmethod):
            function = function.__func__
        else:
            break
    return function


def heart(function: AnyCallable) -> AnyCallable:
    """The innermost function, in whose module its annotations were written: decorators are taken off as well."""
    for _ in range(_LAYERS):
        function = shell(function)
        wrapped = getattr(function, "__wrapped__", None)
        if callable(wrapped):
            function = wrapped
        elif isinstance(function, type):
            return constructor(function)
        elif callable_object(function):
            function = type(function).__call__
        else:
            break
    return function


def constructor(made: type) -> AnyCallable:
    """The function in which a class takes its arguments; the class itself where that is not written in Python."""
    for name in ("__init__", "__new__"):
        function = shell(getattr(made, name))
        if isinstance(function, FunctionType):
            return function
    return made


def callable_object(function: AnyCallable) -> bool:
    """Whether this is an object whose class was given a `__call__` in Python."""
    if isinstance(function, FunctionType | type):
        return False
    return isinstance(shell(type(function).__call__), FunctionType)


def fixed_keywords(function: AnyCallable) -> frozenset[str]:
    """The arguments that partials have already given by name: callers neither see nor change them."""
    names: set[str] = set()
    for _ in range(_LAYERS):
        if isinstance(function, functools.partial):
            names.update(function.keywords)
            function = function.func
        elif isinstance(function, MethodType | staticmethod):
            function = function.__func__
        else:
            break
    return frozenset(names)


def is_async(function: AnyCallable) -> bool:
    """Whether calling it gives a coroutine, as far as can be known without calling.

    A plain `def` around a coroutine function counts as plain: it may well run that coroutine itself. Whoever calls
    it must still await an answer that turns out to be awaitable.
    """
    inner = shell(function)
    if inspect.iscoroutinefunction(inner):
        return True
    return callable_object(inner) and inspect.iscoroutinefunction(shell(type(inner).__call__))


def may_suspend(function: AnyCallable) -> bool:
    """False only where a call certainly runs through in one step: a coroutine function that awaits nothing.

    Only the code of the coroutine function itself can suspend it, so its instructions tell. In any doubt (plain
    functions, other implementations of Python) the answer is True.
    """
    inner = shell(function)
    if callable_object(inner):
        inner = shell(type(inner).__call__)
    if not (_KNOWN_PYTHON and isinstance(inner, FunctionType) and inner.__code__.co_flags & inspect.CO_COROUTINE):
        return True
    return _has_waiting_instruction(inner.__code__)


def _has_waiting_instruction(code: CodeType) -> bool:
    """Read the instructions two bytes at a time; a cache entry taken for an instruction errs on the side of True."""
    return not _WAITING_CODES.isdisjoint(code.co_code[::2])
