"""Results that nobody has looked at yet: values of the facade's types that are made when a middleware looks at one.

A result that is passed on untouched goes out as it came, and costs neither reading nor writing. Whatever is asked of
such a value, or set in it, makes it an ordinary one first. It does not know who looks. Below: `undressing`.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from types import new_class
from typing import Any, Final

from mcport.core.dialects.envelope import Body, Fixed, Written
from mcport.core.jsonrpc import Raw
from mcport.spec.methods import METHODS
from mcport.spec.model import Model
from mcport.spec.revisions import Revision

from .undressing import undressed

_OWN: Final = "mcport."
_STATE: Final = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
"""All that an instance of a model consists of."""


class Unread:
    """What marks the classes of unread values; each is derived from one type of the facade.

    pydantic's own methods look at attributes first, those that set or delete one too.
    """

    __slots__ = ()


def unread(method: str, result: object, revision: Revision) -> Any:
    """Return what a route answered, in a revision, as the value that `undressed` makes of it, but made later."""
    kind = _type_of(method, result)
    if kind is None:
        return undressed(method, result)
    value = object.__new__(_unread_type(kind))
    object.__setattr__(value, "__dict__", {"came": (method, result, revision.name)})
    return value


def as_it_came(result: object, revision: Revision) -> object:
    """Return a result on its way out: in place of one that nobody looked at what it was, if it is for this revision."""
    if not isinstance(result, Unread):
        return result
    _, came, made_for = object.__getattribute__(result, "__dict__")["came"]
    return came if made_for == revision.name else _read(result)  # a middleware may have kept it since another request


def _type_of(method: str, result: object) -> type[Model] | None:
    """Return the type of the value that a result will be, None where it has to be looked at to know."""
    if type(result) is Body or type(result) is Raw:
        return _answer_of(method)
    given = result.result if type(result) is Fixed else result
    if isinstance(given, Written):
        return given.kind
    if type(given) is dict:
        return _answer_of(method) if "resultType" not in given else None
    return type(given) if isinstance(given, Model) and type(given).__module__.startswith(_OWN) else None


@cache
def _answer_of(method: str) -> type[Model] | None:
    known = METHODS.get(method)
    if known is None or known.result is None:
        return None
    from mcport.spec import types

    found: type[Model] = getattr(types, known.result)
    return found


@cache
def _unread_type(kind: type[Model]) -> type[Any]:
    def get(self: Any, name: str) -> Any:
        # A class is asked for by `isinstance`, which is no look at the value.
        return kind if name == "__class__" else getattr(_read(self), name)

    members = {
        "__module__": kind.__module__,
        "__getattribute__": get,
        "__copy__": lambda self: copy(_read(self)),
    }
    return new_class(kind.__name__, (kind, Unread), exec_body=lambda names: names.update(members))


def _read(value: Any) -> Any:
    """Make an unread value what it stands for, and return it."""
    method, came, _ = object.__getattribute__(value, "__dict__")["came"]
    made = undressed(method, came)
    for name in _STATE:
        object.__setattr__(value, name, getattr(made, name))
    object.__setattr__(value, "__class__", type(made))
    return value
