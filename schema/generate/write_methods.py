"""Writes `src/mcport/spec/methods.py`: the method table.

Who may send what stands in each schema as unions (`ClientRequest`, `ServerNotification`, ...); what a method carries
and answers follows from the names of definitions. Which capability it needs stands in no schema but in rows. Below it
are the schemas, the facade and the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schema.generate import text
from schema.generate.merge import Facade
from schema.generate.model import Const, Either, Ref, Schema, Shape, Type
from schema.generate.rows import Rows

PATH = "src/mcport/spec/methods.py"
SENDERS = {"from_client": "Client", "from_server": "Server"}
INPUT_REQUIRED = "InputRequiredResult"


def write_methods(
    schemas: tuple[Schema, ...], facade: Facade, rows: Rows, sources: Mapping[str, str]
) -> dict[str, str]:
    """Return path -> text of the module."""
    table = MethodTable(schemas, facade, rows)
    short = {revision: text.Name(f"_{revision.replace('-', '_')}") for revision in facade.revisions}
    names = "".join(text.assignment(name, revision) for revision, name in short.items())
    entries = "".join(f"        {_entry(row, short)},\n" for row in table.rows())
    body = f"METHODS: Final[Mapping[str, Method]] = MappingProxyType(\n    _by_name(\n{entries}    )\n)\n"
    about = text.doc("Name -> method. A method that a revision is in no set of does not exist there.", "")
    return {PATH: text.header(_HEAD, sources) + _IMPORTS + names + _BY_NAME + body + about}


def _entry(row: Mapping[str, text.Value], short: Mapping[str, text.Name]) -> str:
    lines = [f"            {key}={_value(value, short)},\n" for key, value in row.items() if value not in (None, [])]
    needed = [f"            {key}=None,\n" for key in ("params", "result") if row[key] is None]
    return f"Method(\n{''.join(lines + needed)}        )"


def _value(value: text.Value, short: Mapping[str, text.Name]) -> str:
    if not isinstance(value, list):
        return text.flat(value)
    return f"frozenset({{{', '.join(short[str(revision)] for revision in value)}}})"


class MethodTable:
    """Every method, as a row of what goes with it; and which message each is."""

    def __init__(self, schemas: tuple[Schema, ...], facade: Facade, rows: Rows) -> None:
        self._schemas = schemas
        self._facade = facade
        self._rows = rows

    def rows(self) -> Iterator[dict[str, text.Value]]:
        """Yield the rows of the table by name of method."""
        for method, message in sorted(self.messages().items()):
            is_request = message.endswith("Request")
            yield {
                "name": method,
                "kind": "request" if is_request else "notification",
                "params": self._params(message),
                "result": self._result(message) if is_request else None,
                **{key: list(self._sent(method, side)) for key, side in SENDERS.items()},
                "as_input": [
                    schema.revision for schema in self._schemas if method in self._said(schema, "InputRequest")
                ],
                "may_ask": [schema.revision for schema in self._schemas if self._may_ask(schema, message)],
                **self._capability(method),
            }

    def messages(self) -> dict[str, str]:
        """Return method -> the name of its request or notification."""
        return {
            method: name
            for schema in self._schemas
            for name, definition in schema.definitions.items()
            if not self._rows.is_left_out(name) and (method := _method(definition.type))
        }

    def _said(self, schema: Schema, union: str) -> set[str]:
        """Return the methods of the messages in the definition called `union`."""
        if union not in schema.definitions:
            return set()
        type_ = schema.definitions[union].type
        members = type_.members if isinstance(type_, Either) else (type_,)
        resolved = (schema.definitions[part.name].type if isinstance(part, Ref) else part for part in members)
        return {method for part in resolved if (method := _method(part))}

    def _sent(self, method: str, side: str) -> Iterator[str]:
        for schema in self._schemas:
            if method in self._said(schema, f"{side}Request") | self._said(schema, f"{side}Notification"):
                yield schema.revision

    def _params(self, message: str) -> str:
        kept = self._facade.types.get(message)
        field = kept.field("params") if kept else None
        return field.type.name if field and isinstance(field.type, Ref) else self._facade.named[f"{message}.params"]

    def _result(self, message: str) -> str:
        name = message.removesuffix("Request") + "Result"
        return name if name in self._facade.types else "Result"

    def _may_ask(self, schema: Schema, message: str) -> bool:
        response = schema.definitions.get(message.removesuffix("Request") + "ResultResponse")
        result = response.type.field("result") if response and isinstance(response.type, Shape) else None
        return bool(result and isinstance(result.type, Either) and Ref(INPUT_REQUIRED) in result.type.members)

    def _capability(self, method: str) -> dict[str, text.Value]:
        needed = self._rows.capabilities.get(method)
        if needed is None:
            return {}
        receiver = (
            "Server" if any(method in self._said(schema, "ClientRequest") for schema in self._schemas) else "Client"
        )
        revisions = [
            revision for revision in self._facade.revisions if self._exists(revision, method, receiver, needed)
        ]
        return {"capability": needed, "capability_in": revisions}

    def _exists(self, revision: str, method: str, receiver: str, path: str) -> bool:
        """Tell whether the method and the capability at `path` both exist in `revision`."""
        schema = next(schema for schema in self._schemas if schema.revision == revision)
        unions = ("ClientRequest", "ServerRequest", "InputRequest")
        if not any(method in self._said(schema, union) for union in unions):
            return False
        type_: Type | None = Ref(f"{receiver}Capabilities")
        for step in path.split("."):
            shape = self._facade.aligned[revision][type_.name].type if isinstance(type_, Ref) else type_
            field = shape.field(step) if isinstance(shape, Shape) else None
            type_ = field.type if field else None
        return type_ is not None


def _method(type_: Type) -> str | None:
    """Return the method of a request or notification, or None."""
    field = type_.field("method") if isinstance(type_, Shape) else None
    return str(field.type.value) if field and isinstance(field.type, Const) else None


_HEAD = "Every method of the protocol that mcport knows; not the experimental tasks of the last handshake revision."
_IMPORTS = """
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mcport.spec.method import Method

"""
_BY_NAME = """

def _by_name(*methods: Method) -> dict[str, Method]:
    return {method.name: method for method in methods}


"""
