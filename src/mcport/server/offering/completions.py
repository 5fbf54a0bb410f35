"""Completions: suggestions for the arguments of prompts and the variables of resource templates, as somebody types.

From `completion/complete` to whoever suggests, and back (server/utilities/completion). Arguments of which the type
says what they may be are completed without a word; for all others there are functions. Below: `calling`, `prompts`,
`resources`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from itertools import islice
from typing import Any, Final

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InternalError, InvalidParams, ProtocolError
from mcport.record import Record
from mcport.server.handling.calling import call
from mcport.server.limiting.rate import Rate
from mcport.server.results.content import text_of
from mcport.server.results.faults import Faults
from mcport.server.routes import Route
from mcport.server.signature import Signature
from mcport.session.exchange import Exchange

from .choices import Choices
from .prompts import PromptEntry, Prompts
from .resources import ResourceEntry, Resources
from .suggestions import did_you_mean

MOST: Final = 100
"""So many values leave at most (server/utilities/completion, "Completion Results")."""


class Typed(Record):
    """What somebody has typed so far, and the other arguments that are settled."""

    value: str
    context: dict[str, str]


class Completer:
    """A function that suggests values for one argument.

    It takes what was typed so far, by any name, and if it likes `context`, the other arguments as a dict, and the
    `Context`. One that takes nothing of what was typed returns all values there are; those that fit go out.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        """Raises TypeError, in one line, for a function that takes something else."""
        names = list(signature.input_schema["properties"])
        self._takes_context = "context" in names
        first, *others = [name for name in names if name != "context"] or [None]
        if needed := [name for name in others if name in signature.input_schema.get("required", ())]:
            takes = "the text typed so far, `context` and the Context"
            raise TypeError(f"{signature.name}: parameter {needed[0]!r} gets nothing: a completer takes {takes}")
        self._value = first
        self._function = function
        self._signature = signature

    async def suggest(self, typed: Typed, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Return the suggestions as they go out. Raises TypeError or ValueError for what are none."""
        arguments: dict[str, Any] = {"context": typed.context} if self._takes_context else {}
        if self._value is not None:
            arguments[self._value] = typed.value
        found = await call(self._function, self._signature, arguments, exchange, admitted)
        if self._value is None and not _is_completion(found):
            return completion_of(Choices(_texts(found)).fitting(typed.value))
        return completion_of(found)


class Completions:
    """All completions of a server. `most` bounds the requests of each principal in a second."""

    def __init__(
        self, prompts: Prompts, resources: Resources, faults: Faults, most: int, changed: Callable[[], None]
    ) -> None:
        self.served = False
        """Whether completions are offered. Once there was a completer they are, if only for the arguments left."""
        self._prompts = prompts
        self._resources = resources
        self._faults = faults
        self._rate = Rate(most)
        self._changed = changed

    def routes(self) -> dict[str, Route]:
        """Return the routes that are offered now: none as long as nothing could be completed."""
        if not self.served:
            entries = (*self._prompts.listing, *self._resources.templates)
            self.served = any(entry.completers for entry in entries)
        return {"completion/complete": self.complete} if self.served else {}

    def add(self, kind: str, key: str, argument: str, completer: Completer) -> None:
        """Have a function complete an argument of a prompt, or a variable of a template.

        Raises ValueError where there is no such thing, or where a function completes it already.
        """
        listing: Any = self._prompts.listing if kind == "prompt" else self._resources.templates
        if key not in listing:
            raise ValueError(f"complete: there is no {kind} {key!r}.{did_you_mean(key, listing.keys())}")
        entry: PromptEntry | ResourceEntry = listing[key]
        names = _arguments(entry)
        if argument not in names:
            near = did_you_mean(argument, names)
            raise ValueError(f"complete: the {kind} {key!r} has no argument {argument!r}.{near}")
        if isinstance(entry.completers.get(argument), Completer):
            raise ValueError(f"complete: argument {argument!r} of the {kind} {key!r} is completed already")
        entry.completers = {**entry.completers, argument: completer}
        self._changed()

    async def complete(self, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Serve `completion/complete`."""
        if not self._rate.allows(exchange.principal, exchange.outlet.loop.time()):
            raise InternalError("Too many completion requests; try again later")
        params = exchange.asked.params
        entry, what = self._target(_object(params, "ref"), exchange, admitted)
        argument = _object(params, "argument")
        name, value = _text(argument, "argument.name", "name"), _text(argument, "argument.value", "value")
        names = _arguments(entry)
        if name not in names:
            raise InvalidParams(f"{what} has no argument {name!r}.{did_you_mean(name, names)}")
        settled = _settled(params) if admitted.revision.completes_with_context else {}
        typed = Typed(value, {key: text for key, text in settled.items() if key in names})
        completer = entry.completers.get(name)
        try:
            if completer is None:
                found = completion_of([])
            elif isinstance(completer, Choices):
                found = completion_of(completer.fitting(value))
            else:
                found = await completer.suggest(typed, exchange, admitted)
        except ProtocolError:
            raise
        except Exception as error:
            raise InternalError(self._faults.text(f"The completion of {name!r} of {what}", error)) from None
        return {"completion": found}

    def _target(
        self, ref: JsonObject, exchange: Exchange, admitted: Admitted
    ) -> tuple[PromptEntry | ResourceEntry, str]:
        """Return what is being filled in, and how to call it."""
        kind = ref.get("type")
        if kind == "ref/prompt":
            name = _text(ref, "ref.name", "name")
            return self._prompts.find(name, exchange, admitted), f"prompt {name!r}"
        if kind == "ref/resource":
            uri = _text(ref, "ref.uri", "uri")
            return self._resources.referred(uri, exchange, admitted), f"resource {uri!r}"
        raise InvalidParams(f"completion/complete: ref.type is 'ref/prompt' or 'ref/resource', not {kind!r:.60}")


def completion_of(found: Any) -> JsonObject:
    """Return the suggestions as they go out: at most `MOST`, and whether there are more.

    They are texts, or values with a text, in any iterable; None is none. A `Completion` says for itself how many there
    are. Raises TypeError or ValueError for anything else.
    """
    if _is_completion(found):
        wire: JsonObject = found.to_wire()
        if len(wire["values"]) > MOST:
            wire |= {"values": wire["values"][:MOST], "hasMore": True}
        return wire
    if found is None:
        found = []
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise TypeError(f"a completer returns a list of texts, not {type(found).__name__}")
    if isinstance(found, Sized):
        return {"values": _texts(islice(found, MOST)), "total": len(found), "hasMore": len(found) > MOST}
    values = _texts(islice(found, MOST + 1))
    if len(values) > MOST:
        return {"values": values[:MOST], "hasMore": True}
    return {"values": values, "total": len(values), "hasMore": False}


def _is_completion(found: object) -> bool:
    from mcport.spec.types import Completion

    return isinstance(found, Completion)


def _texts(found: Iterable[Any]) -> list[str]:
    return [text_of(value) for value in found]


def _arguments(entry: PromptEntry | ResourceEntry) -> list[str]:
    """The names that can be completed: those of a template's variables, or of a prompt's arguments."""
    if isinstance(entry, ResourceEntry):
        return list(entry.template.variables) if entry.template is not None else []
    return list(entry.signature.input_schema["properties"])


# ---- what a request says


def _object(params: JsonObject, name: str) -> JsonObject:
    value = params.get(name)
    if type(value) is not dict:
        raise InvalidParams(f"completion/complete: {name} {'must be an object' if name in params else 'is missing'}")
    return value


def _text(holder: JsonObject, path: str, name: str) -> str:
    value = holder.get(name)
    if type(value) is not str:
        raise InvalidParams(f"completion/complete: {path} {'must be a string' if name in holder else 'is missing'}")
    return value


def _settled(params: JsonObject) -> dict[str, str]:
    """Return the arguments that are filled in already."""
    context = params.get("context")
    arguments = context.get("arguments") if type(context) is dict else None
    if context is not None and type(context) is not dict:
        raise InvalidParams("completion/complete: context must be an object")
    if arguments is None:
        return {}
    if type(arguments) is not dict or not all(type(value) is str for value in arguments.values()):
        raise InvalidParams("completion/complete: context.arguments must be an object of strings")
    return arguments
