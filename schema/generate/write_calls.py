"""Writes `src/mcport/client/calls.py`: the client's typed calls, one for each request that a client may send.

Names, parameters and documentation follow from the method table and the facade; what differs stands in
`schema/client/calls.toml`. Knows how a call is said in Python; sending it is the business of `mcport.client.caller`.
Below it are the method table, the facade and the text.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schema.generate import text
from schema.generate.merge import Facade, Merged, MergedField
from schema.generate.model import Anything, Choice, Many, Map, Ref, Scalar, Schema, Type
from schema.generate.rows import Rows
from schema.generate.write_methods import MethodTable
from schema.generate.write_types import Expression

PATH = "src/mcport/client/calls.py"
ROWS = "schema/client/calls.toml"
BODY = text.INDENT * 2
_FRESH = "`fresh`: ask the server even if the client keeps an answer that is still good."
RAISED = "`RemoteError`, `Timeout`, `ConnectionLost` and `InvalidAnswer`"


@dataclass(frozen=True, slots=True)
class CallRows:
    """What people decided about the calls; methods and fields go by their names on the wire."""

    named: Mapping[str, str]
    left_out: frozenset[str]
    withheld: frozenset[str]
    progress: frozenset[str]
    ordered: Mapping[str, list[str]]
    pages: Mapping[str, str]
    digest: str


def read_call_rows(root: Path) -> CallRows:
    """Return the rows of the project at `root`."""
    data = (root / ROWS).read_bytes()
    rows = tomllib.loads(data.decode())
    return CallRows(
        named={row["method"]: row["name"] for row in rows["named"]},
        left_out=frozenset(method for row in rows["left_out"] for method in row["methods"]),
        withheld=frozenset(field for row in rows["withheld"] for field in row["fields"]),
        progress=frozenset(method for row in rows["progress"] for method in row["methods"]),
        ordered={row["method"]: row["fields"] for row in rows["ordered"]},
        pages=rows["pages"],
        digest=hashlib.sha256(data).hexdigest(),
    )


def write_calls(
    schemas: tuple[Schema, ...], facade: Facade, rows: Rows, calls: CallRows, sources: Mapping[str, str]
) -> dict[str, str]:
    """Return path -> text of the module."""
    module = _Module(schemas, facade, rows, calls)
    body = "".join(module.blocks())
    about = "The client's calls, one for each request that a client may send."
    return {PATH: text.header(about, {**sources, ROWS: calls.digest}) + module.imports() + _CLASS + body}


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, with all that its call is made of. `revisions` are those that have it, oldest first."""

    method: str
    name: str
    about: str
    params: Merged
    fields: tuple[MergedField, ...]
    result: Merged
    revisions: tuple[str, ...]
    capability: str | None
    page: str
    has_progress: bool
    may_ask: bool

    @property
    def member(self) -> MergedField | None:
        """The field of the result that holds the items, if the result is one page of a list."""
        if self.result.field("nextCursor") is None:
            return None
        return next(field for field in self.result.fields or () if isinstance(field.type, Many))

    @property
    def is_cacheable(self) -> bool:
        """Whether the result says how long it is good."""
        return self.result.field("ttlMs") is not None


class _Module:
    def __init__(self, schemas: tuple[Schema, ...], facade: Facade, rows: Rows, calls: CallRows) -> None:
        self._schemas = schemas
        self._facade = facade
        self._rows = rows
        self._calls = calls
        self._table = MethodTable(schemas, facade, rows)
        self._say = Expression()

    def blocks(self) -> Iterator[str]:
        for call in self._requests():
            if call.may_ask:
                yield from self._overloads(call)
            yield "\n" + self._signature(call) + text.doc(self._about(call), BODY) + self._body(call)
            if (member := call.member) is not None:
                yield "\n" + self._walk(call, member)

    def imports(self) -> str:
        typed = {"mcport.spec.scalars": {"JSONObject"}, "mcport.spec.types": self._say.names}
        return _IMPORTS + text.imports(typed, text.INDENT) + f"\n{text.INDENT}from .callbacks import ProgressCallback\n"

    def _requests(self) -> Iterator[_Call]:
        for row in self._table.rows():
            method, revisions = str(row["name"]), row["from_client"]
            assert isinstance(revisions, list)
            if row["kind"] == "request" and revisions and method not in self._calls.left_out:
                yield self._request(method, row, revisions)

    def _request(self, method: str, row: Mapping[str, text.Value], revisions: list[text.Value]) -> _Call:
        params, result, capability = str(row["params"]), str(row["result"]), row.get("capability")
        message = self._table.messages()[method]
        newest = next(schema for schema in reversed(self._schemas) if message in schema.definitions)
        return _Call(
            method=method,
            name=self._calls.named.get(method) or _snake(message.removesuffix("Request")),
            about=newest.definitions[message].description,
            params=self._facade.types[params],
            fields=self._fields(method, self._facade.types[params]),
            result=self._facade.types[result],
            revisions=tuple(map(str, revisions)),
            capability=str(capability) if capability else None,
            page=self._calls.pages[method],
            has_progress=method in self._calls.progress,
            may_ask=bool(row["may_ask"]),
        )

    def _fields(self, method: str, params: Merged) -> tuple[MergedField, ...]:
        """Return the parameters that callers give, in their order."""
        order = self._calls.ordered.get(method, [field.wire for field in params.fields or ()])
        given = [field for field in params.fields or () if field.wire not in {*self._calls.withheld, "_meta"}]
        return tuple(sorted(given, key=lambda field: order.index(field.wire)))

    # ---- a call

    def _signature(self, call: _Call, rounds: str = "rounds: int | None = None", result: str | None = None) -> str:
        members = ["self", *map(self._parameter, call.fields), "*", "timeout: Seconds = UNSET"]
        members += ["progress: ProgressCallback | None = None"] * call.has_progress
        members += ["meta: JSONObject | None = None"]
        members += ["fresh: bool = False"] * call.is_cacheable
        members += [rounds] * call.may_ask
        self._say.names.add(call.result.name)
        returned = result or (f"{call.result.name} | InputRequired" if call.may_ask else call.result.name)
        head, tail = f"{text.INDENT}async def {call.name}", f" -> {returned}:"
        return text.bracketed(head, members, indent=text.INDENT, tail=tail)

    def _overloads(self, call: _Call) -> Iterator[str]:
        """Who drives the rounds by hand (0) may be given questions; a number in a variable may be 0."""
        either = f"{call.result.name} | InputRequired"
        for rounds, result in (("rounds: None = None", call.result.name), ("rounds: int", either)):
            yield f"\n{text.INDENT}@overload\n" + self._signature(call, rounds, result).rstrip("\n") + " ...\n"

    def _parameter(self, field: MergedField) -> str:
        annotation = self._say.of(field.type)
        return f"{field.name}: {annotation}" if field.required else f"{field.name}: {annotation} | None = None"

    def _about(self, call: _Call) -> str:
        since, until = call.revisions[0], call.revisions[-1]
        newest, oldest = self._facade.revisions[-1], self._facade.revisions[0]
        span = f" Since {since}." if since != oldest else f" Until {until}." if until != newest else ""
        options = "`timeout`, `progress` and `meta`" if call.has_progress else "`timeout` and `meta`"
        needs = f" unless the server declared `{call.capability}`" if call.capability else " in a revision without it"
        lines = [
            f"{_imperative(call.about)}{span}",
            "",
            *(f"`{field.name}`: {_lowered(field.description)}" for field in call.fields),
            f"{options} are those of `request`.",
            *[_FRESH] * call.is_cacheable,
            *[_ROUNDS] * call.may_ask,
            "",
            f"Raises `NotDeclared`{needs}; {RAISED} as `request` does. See {call.page} of the specification.",
        ]
        return "\n".join(lines)

    def _body(self, call: _Call) -> str:
        arguments = [text.flat(call.method), "params", "timeout", "meta"]
        arguments += ["fresh"] * call.is_cacheable
        arguments += ["progress or self._progress"] * call.has_progress
        arguments += ["rounds"] * call.may_ask
        verb = "_recall" if call.is_cacheable else "_call"
        returned = f"{call.result.name} | InputRequired" if call.may_ask else call.result.name
        head = f"{BODY}result: {returned} = await self.{verb}"
        return self._params(call) + text.bracketed(head, arguments, indent=BODY) + f"{BODY}return result\n"

    def _params(self, call: _Call) -> str:
        if not all(self._is_plain(field, call) for field in call.fields):
            values = [text.flat(call.params.name), *(f"{field.name}={field.name}" for field in call.fields)]
            return text.bracketed(f"{BODY}params = self._dumped", values, indent=BODY)
        required = ", ".join(f"{text.flat(field.wire)}: {field.name}" for field in call.fields if field.required)
        lines = [f"{BODY}params: JSONObject = {{{required}}}\n"]
        for field in call.fields:
            if not field.required:
                lines.append(f"{BODY}if {field.name} is not None:\n{BODY}{text.INDENT}")
                lines.append(f"params[{text.flat(field.wire)}] = {field.name}\n")
        return "".join(lines)

    def _is_plain(self, field: MergedField, call: _Call) -> bool:
        """Tell whether the value goes out as it is, in every revision that has the method."""
        return set(call.revisions) <= set(field.revisions) and self._is_json(field.type)

    def _is_json(self, type_: Type) -> bool:
        match type_:
            case Ref(name):
                return self._facade.types[name].fields is None and self._is_json(self._facade.types[name].type)
            case Map(value):
                return self._is_json(value)
            case _:
                return isinstance(type_, (Anything, Choice, Scalar))

    # ---- a walk

    def _walk(self, call: _Call, member: MergedField) -> str:
        assert isinstance(member.type, Many)
        item = self._say.of(member.type.item)
        name = f"each_{_snake(item)}"
        parameters = ["self", "*", "timeout: Seconds = UNSET", "meta: JSONObject | None = None", "fresh: bool = False"]
        head = text.bracketed(f"{text.INDENT}def {name}", parameters, indent=text.INDENT, tail=f" -> Walk[{item}]:")
        things = " ".join(_snake(item).split("_"))
        about = (
            f"Iterate over every {things} that the server lists, page after page.\n\n"
            f"    async for {_snake(item)} in client.{name}():\n\n"
            f"`timeout`, `meta` and `fresh` are those of each page. Raises what `{call.name}` raises, and "
            f"`InvalidAnswer` for a list without an end. See server/utilities/pagination of the specification."
        )
        arguments = [text.flat(call.method), text.flat(member.name), "timeout", "meta", "fresh"]
        return head + text.doc(about, BODY) + text.bracketed(f"{BODY}return self._walk", arguments, indent=BODY)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _imperative(sentence: str) -> str:
    """Return "Ask for it." for "Asks for it.", as docstrings are."""
    verb, rest = sentence.split(" ", 1)
    return f"{verb.removesuffix('s')} {rest}"


def _lowered(sentence: str) -> str:
    """Return a sentence as it goes on after a colon."""
    first = sentence.split(" ", 1)[0]
    return sentence if first.startswith("`") or first != first.capitalize() else sentence[0].lower() + sentence[1:]


_ROUNDS = (
    "`rounds`: how often the server may ask before it is done; None for the client's own number. With 0 its questions "
    "are returned as an `InputRequired`, to be stored and answered with `resume`."
)
_IMPORTS = """
from __future__ import annotations

from typing import TYPE_CHECKING, overload

from .caller import Caller
from .paging import Walk
from .timing import UNSET, Seconds

if TYPE_CHECKING:
    from mcport.core.input_required import InputRequired
"""
_CLASS = '''

class Calls(Caller):
    """A typed method for each request, in the words of the specification."""
'''
