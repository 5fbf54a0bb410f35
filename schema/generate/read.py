"""A schema file, read into the intermediate model.

Knows the keywords of JSON Schema that the published schemas use, and stops at any other: a keyword that is not
understood must never be lost in silence. `allOf` is resolved here, so nothing after this knows it. Known faults of the
published files (`patches.toml`) are mended before reading; each row says what it expects to find, so that a row that
has become idle is noticed. Below it are the model and the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from schema.generate.model import (
    OPEN_OBJECT,
    Anything,
    Choice,
    Const,
    Definition,
    Either,
    Field,
    Many,
    Map,
    Ref,
    Scalar,
    Schema,
    Shape,
    Type,
)
from schema.generate.rows import Patch

Node: TypeAlias = Mapping[str, Any]

PROSE = frozenset({"description", "title", "examples", "$comment", "$id"})
ANNOTATIONS = PROSE | {"format"}  # `format` is an annotation in both dialects: it never refuses a value


class SchemaFault(ValueError):
    """A schema file says something that the generator does not understand, or that a patch did not expect."""


def read_all(folder: Path, patches: tuple[Patch, ...]) -> tuple[Schema, ...]:
    """Return the schemas of `folder`, oldest revision first."""
    return tuple(read(path, patches) for path in sorted(folder.glob("*.json")))


def read(path: Path, patches: tuple[Patch, ...]) -> Schema:
    """Return the schema in the file `path`, mended by those `patches` that are for its revision."""
    document = patched(path, patches)
    nodes: dict[str, Node] = document.get("$defs") or document["definitions"]
    reader = _Reader(nodes)
    definitions = {
        name: Definition(name, reader.type(node, name), str(node.get("description", "")))
        for name, node in nodes.items()
    }
    return Schema(path.stem, definitions, hashlib.sha256(path.read_bytes()).hexdigest())


def patched(path: Path, patches: tuple[Patch, ...]) -> dict[str, Any]:
    """Return the JSON document in the file `path` with the `patches` for its revision applied."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for patch in patches:
        if path.stem in patch.revisions:
            _apply(document, patch, path.name)
    return document


def _apply(document: dict[str, Any], patch: Patch, file: str) -> None:
    definitions = document.get("$defs") or document["definitions"]
    node = definitions
    *steps, last = patch.path
    for step in steps:
        node = node[int(step) if isinstance(node, list) else step]
    found = node[last]
    if sorted(found) != sorted(patch.was):
        raise SchemaFault(f"{file}: {'/'.join(patch.path)} is {found}, the patch expects {list(patch.was)}")
    node[last] = list(patch.now)


class _Reader:
    """Turns the nodes of one file into types."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def type(self, node: Node, where: str) -> Type:
        """Return what `node` says; `where` names it in complaints."""
        for keyword, reading in (
            ("$ref", self._ref),
            ("allOf", self._all_of),
            ("anyOf", self._any_of),
            ("const", self._const),
            ("enum", self._enum),
            ("type", self._typed),
        ):
            if keyword in node:
                return reading(node, where)
        _only(node, where)
        return Anything()

    def _ref(self, node: Node, where: str) -> Type:
        _only(node, where, "$ref")
        return Ref(node["$ref"].rpartition("/")[2])

    def _all_of(self, node: Node, where: str) -> Type:
        _only(node, where, "allOf")
        found: Type = Anything()
        for part in node["allOf"]:
            found = _both(found, self._resolved(part, where), where)
        return found

    def _resolved(self, node: Node, where: str) -> Type:
        type_ = self.type(node, where)
        return self._resolved(self._nodes[type_.name], type_.name) if isinstance(type_, Ref) else type_

    def _any_of(self, node: Node, where: str) -> Type:
        _only(node, where, "anyOf")
        members: list[Type] = []
        for part in node["anyOf"]:
            member = self.type(part, where)
            members.extend(member.members if isinstance(member, Either) else (member,))
        return Either(tuple(dict.fromkeys(members)))

    def _const(self, node: Node, where: str) -> Type:
        _only(node, where, "const", "type")
        return Const(node["const"])

    def _enum(self, node: Node, where: str) -> Type:
        _only(node, where, "enum", "type")
        return Choice(tuple(node["enum"]))

    def _typed(self, node: Node, where: str) -> Type:
        match node["type"]:
            case [*kinds]:
                _only(node, where, "type")
                return Either(tuple(Scalar(kind) for kind in kinds))
            case "array":
                _only(node, where, "type", "items", "maxItems")
                return Many(self.type(node.get("items", {}), f"{where}[]"), node.get("maxItems"))
            case "object":
                return self._object(node, where)
            case "string" | "integer" | "number" | "boolean" | "null" as kind:
                _only(node, where, "type", "minimum", "maximum")
                return Scalar(kind, node.get("minimum"), node.get("maximum"))
            case other:
                raise SchemaFault(f"{where}: type {other!r} is not understood")

    def _object(self, node: Node, where: str) -> Type:
        _only(node, where, "type", "properties", "required", "additionalProperties")
        others = node.get("additionalProperties", {})
        properties: Mapping[str, Node] = node.get("properties", {})
        if not properties:
            return Map(self.type(others, f"{where}{{}}")) if others not in (True, {}) else OPEN_OBJECT
        if others not in (True, {}):
            raise SchemaFault(f"{where}: named fields together with additionalProperties {others}")
        required = frozenset(node.get("required", ()))
        if not required <= properties.keys():
            raise SchemaFault(f"{where}: requires {sorted(required - properties.keys())}, which it does not describe")
        return Shape(tuple(self._field(name, part, where, name in required) for name, part in properties.items()))

    def _field(self, name: str, node: Node, where: str, required: bool) -> Field:
        return Field(name, self.type(node, f"{where}.{name}"), required, str(node.get("description", "")))


def _only(node: Node, where: str, *keywords: str) -> None:
    """Raise if `node` has a keyword besides `keywords` and annotations."""
    strange = node.keys() - ANNOTATIONS - set(keywords)
    if strange:
        raise SchemaFault(f"{where}: {', '.join(sorted(strange))} is not understood")


def _both(one: Type, other: Type, where: str) -> Type:
    """Return the type of what is both `one` and `other`."""
    match one, other:
        case (same, Anything()) | (Anything(), same):
            return same
        case Scalar(), Const():
            return other
        case Map(Anything()), Shape():
            return other
        case Shape(), Map(Anything()):
            return one
        case Shape(mine), Shape(theirs):
            wires = dict.fromkeys(field.wire for field in (*mine, *theirs))
            return Shape(tuple(_both_fields(one.field(wire), other.field(wire), where) for wire in wires))
        case _ if one == other:
            return one
    raise SchemaFault(f"{where}: allOf of {one} and {other} is not understood")


def _both_fields(one: Field | None, other: Field | None, where: str) -> Field:
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    type_ = _both(one.type, other.type, f"{where}.{one.wire}")
    return Field(one.wire, type_, one.required or other.required, other.description or one.description)
