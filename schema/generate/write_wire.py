"""Writes the exact models: `src/mcport/spec/wire/r<revision>.py`, a class for every definition of one schema.

Nothing is merged, renamed or left out. Objects that stand inline become classes as well, called after the place where
they stand. Below it are the schema, the field names of the rows and the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schema.generate import text
from schema.generate.merge import python_name
from schema.generate.model import (
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
    admits_null,
    in_order,
)
from schema.generate.rows import Rows

FOLDER = "src/mcport/spec/wire"
SCALARS = {"string": "str", "integer": "Integer", "number": "Number", "boolean": "Boolean", "null": "None"}
TYPING = ("Any", "Literal")
PYDANTIC = ("Field",)
SCALAR_NAMES = ("Boolean", "INTEGRAL", "Integer", "Number")
EXACT = ("Exact", "ExactRoot", "Omittable")


def path_of(revision: str) -> str:
    """Return the path of the module for `revision`."""
    return f"{FOLDER}/r{revision.replace('-', '_')}.py"


def write_wire(schemas: tuple[Schema, ...], rows: Rows, sources: Mapping[str, str]) -> dict[str, str]:
    """Return path -> text of the modules."""
    return {path_of(schema.revision): _Module(schema, rows).text(sources) for schema in schemas}


def inline_name(place: str, field: str) -> str:
    """Return the name of the class for the object that stands inline in `field` of the class `place`."""
    letters = "".join(letter for letter in field if letter.isalnum())
    return f"{place}{letters[0].upper()}{letters[1:]}"


class _Module:
    def __init__(self, schema: Schema, rows: Rows) -> None:
        self._schema = schema
        self._rows = rows

    def text(self, sources: Mapping[str, str]) -> str:
        """Return the text of the module."""
        definitions = self._schema.definitions
        blocks = [block for name in in_order(definitions) for block in self._definition(definitions[name])]
        body = "".join(f"\n\n{block}" for block in blocks)
        about = f"Exact models of every definition of revision {self._schema.revision}."
        own = (f"schema/{self._schema.revision}.json", "schema/names.toml", "schema/patches.toml")
        opening = text.header(about, {name: sources[name] for name in own})
        return f"{opening}{text.FUTURE}\n{self._imports(body)}{body}"

    def _imports(self, body: str) -> str:
        def used(names: tuple[str, ...]) -> list[str]:
            return [name for name in names if any(f"{name}{after}" in body for after in "[(,]) \n")]

        whole = "import typing\n" if "typing." in body else ""  # one revision has a definition called Annotated
        groups = (
            {"typing": used(TYPING)},
            {"pydantic": used(PYDANTIC)},
            {"mcport.spec.scalars": used(SCALAR_NAMES), "mcport.spec.wire.exact": used(EXACT)},
        )
        return whole + "\n".join(part for part in map(text.imports, groups) if part)

    def _definition(self, definition: Definition) -> Iterator[str]:
        if isinstance(definition.type, Shape):
            yield from self._class(definition.name, definition.type)
            return
        yield from self._inline(definition.type, definition.name)
        yield f"class {definition.name}(ExactRoot):\n" + self._line("root", definition.type, definition.name, True)

    def _class(self, name: str, shape: Shape) -> Iterator[str]:
        for field in shape.fields:
            yield from self._inline(field.type, inline_name(name, field.wire))
        lines = [self._field(name, field) for field in sorted(shape.fields, key=lambda field: not field.required)]
        yield f"class {name}(Exact):\n{''.join(lines)}"

    def _inline(self, type_: Type, name: str) -> Iterator[str]:
        """Yield classes for the objects that stand inside `type_`."""
        match type_:
            case Shape():
                assert name not in self._schema.definitions, name
                yield from self._class(name, type_)
            case Many(inner) | Map(inner):
                yield from self._inline(inner, name)
            case Either(members):
                assert not any(isinstance(member, Shape) for member in members), name
                for member in members:
                    yield from self._inline(member, name)
            case _:
                return

    def _field(self, owner: str, field: Field) -> str:
        name, inline = python_name(field.wire, self._rows), inline_name(owner, field.wire)
        if not field.wire.startswith("io."):
            return self._line(name, field.type, inline, field.required)
        head = f"{text.INDENT}{name}: {self._annotation(field.type, inline, field.required)} = Field"
        default = [] if field.required else ["default=None"]
        return text.bracketed(head, [*default, f'alias="{field.wire}"'], indent=text.INDENT)

    def _line(self, name: str, type_: Type, inline: str, required: bool) -> str:
        head, default = f"{text.INDENT}{name}: ", "" if required else " = None"
        annotation = self._annotation(type_, inline, required)
        if len(f"{head}{annotation}{default}") <= text.WIDTH:
            return f"{head}{annotation}{default}\n"
        if isinstance(type_, Either) and required:
            members = [self._expression(member, inline) for member in type_.members]
            return text.union(members, head, text.INDENT)
        outer, _, inner = annotation.partition("[")
        return text.bracketed(f"{head}{outer}", [inner[:-1]], "[]", text.INDENT, default)

    def _annotation(self, type_: Type, inline: str, required: bool) -> str:
        said = self._expression(type_, inline)
        if required or said == "Any":
            return said
        assert isinstance(type_, Ref) or not admits_null(type_, self._schema.definitions), inline
        return f"Omittable[{said}]"

    def _expression(self, type_: Type, name: str) -> str:
        match type_:
            case Anything():
                return "Any"
            case Const(int() as value):
                return f"typing.Annotated[Literal[{value}], INTEGRAL]"
            case Const(value):
                return f"Literal[{text.flat(value)}]"
            case Choice(values):
                return f"Literal[{', '.join(map(text.flat, values))}]"
            case Many(item, most):
                return self._bounded(f"list[{self._expression(item, name)}]", {"max_length": most})
            case Map(value):
                return f"dict[str, {self._expression(value, name)}]"
            case Either(members):
                return " | ".join(self._expression(member, name) for member in members)
            case Ref(other):
                return other
            case Scalar(kind, least, most):
                return self._bounded(SCALARS[kind], {"ge": least, "le": most})
            case Shape():
                return name

    def _bounded(self, said: str, bounds: Mapping[str, float | None]) -> str:
        given = [f"{key}={value}" for key, value in bounds.items() if value is not None]
        return f"typing.Annotated[{said}, Field({', '.join(given)})]" if given else said
