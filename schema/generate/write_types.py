"""Writes the facade: `src/mcport/spec/types/`, a module a family and an index that loads them by name.

Knows how a merged type is said in pydantic. What is merged, and why, is decided before. Below it are the facade, the
rows and the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schema.generate import text
from schema.generate.merge import Facade, Merged, MergedField
from schema.generate.model import (
    Anything,
    Choice,
    Const,
    Definition,
    Either,
    Many,
    Map,
    Ref,
    Scalar,
    Shape,
    Type,
    in_order,
)
from schema.generate.rows import Family, Rows

FOLDER = "src/mcport/spec/types"
PACKAGE = "mcport.spec.types"
SCALARS = {"string": "str", "integer": "Integer", "number": "Number", "boolean": "Boolean", "null": "None"}


def write_types(facade: Facade, rows: Rows, sources: Mapping[str, str]) -> dict[str, str]:
    """Return path -> text of the modules of the facade."""
    modules = {f"{FOLDER}/{family.name}.py": _Module(family, facade, rows).text(sources) for family in rows.families}
    return {f"{FOLDER}/__init__.py": _index(rows, sources), **modules}


@dataclass
class Expression:
    """Says types in Python, and notes which names that takes."""

    names: set[str] = field(default_factory=set)
    scalars: set[str] = field(default_factory=set)
    typing: set[str] = field(default_factory=set)
    pydantic: set[str] = field(default_factory=set)

    def of(self, type_: Type) -> str:
        """Return the Python expression for `type_`."""
        match type_:
            case Anything():
                return self._scalar("JSONValue")
            case Map(Anything()):
                return self._scalar("JSONObject")
            case Const(value):
                return self._literal(value)
            case Choice(values):
                return self._literal(*values)
            case Many(item, most):
                return self._bounded(f"list[{self.of(item)}]", None, most)
            case Map(value):
                return f"dict[str, {self.of(value)}]"
            case Either(members):
                return " | ".join(map(self.of, members))
            case Ref(name):
                self.names.add(name)
                return name
            case Scalar(kind, least, most):
                name = SCALARS[kind]
                return self._bounded(name if name in ("str", "None") else self._scalar(name), least, most)
            case Shape():
                raise AssertionError(f"an object without a name: {type_}")

    def _scalar(self, name: str) -> str:
        self.scalars.add(name)
        return name

    def _literal(self, *values: str | int) -> str:
        self.typing.add("Literal")
        return f"Literal[{', '.join(map(text.flat, values))}]"

    def _bounded(self, name: str, least: float | None, most: float | None) -> str:
        if least is None and most is None:
            return name
        self.typing.add("Annotated")
        return f"Annotated[{name}, {self._scalar('Bounds')}({text.flat(least)}, {text.flat(most)})]"


class _Module:
    """One family."""

    def __init__(self, family: Family, facade: Facade, rows: Rows) -> None:
        self._family = family
        self._facade = facade
        self._rows = rows
        self._say = Expression()
        self._models: set[str] = set()

    def text(self, sources: Mapping[str, str]) -> str:
        body = "".join(self._blocks())
        opening = text.header(
            f"The facade's {self._family.about}.", sources
        )  # annotations are evaluated once: no FUTURE
        return f"{opening}\n{self._imports()}{body}"

    def _blocks(self) -> Iterator[str]:
        was_alias = True  # what follows imports stands as close as what follows an alias
        for name in _order(self._facade, self._family):
            merged = self._facade.types[name]
            is_alias = merged.fields is None
            yield "\n" if is_alias and was_alias else "\n\n" if not is_alias else "\n" * (1 + (not was_alias))
            yield self._alias(merged) if is_alias else self._class(merged)
            was_alias = is_alias

    def _imports(self) -> str:
        homes: dict[str, set[str]] = {}
        for name in self._say.names - set(self._family.types):
            homes.setdefault(f"{PACKAGE}.{self._rows.placed[name]}", set()).add(name)
        outside = text.imports({"typing": self._say.typing}), text.imports({"pydantic": self._say.pydantic})
        inside = {
            "mcport.spec.model": self._models,
            "mcport.spec.scalars": self._say.scalars,
            **dict(sorted(homes.items())),
        }
        return "\n".join(part for part in (*outside, text.imports(inside)) if part)

    def _alias(self, merged: Merged) -> str:
        self._say.typing.add("TypeAlias")
        return self._alias_text(merged) + text.doc(
            _about(merged.description, merged.revisions, self._facade.revisions), ""
        )

    def _alias_text(self, merged: Merged) -> str:
        head = f"{merged.name}: TypeAlias = "
        tag = self._discriminator(merged.type)
        if tag is not None:
            self._say.typing.add("Annotated")
            self._say.pydantic.add("Field")
            return text.bracketed(
                f"{head}Annotated", [self._say.of(merged.type), f'Field(discriminator="{tag}")'], "[]"
            )
        if isinstance(merged.type, Either):
            return text.union([self._say.of(member) for member in merged.type.members], head)
        return f"{head}{self._say.of(merged.type)}\n"

    def _discriminator(self, type_: Type) -> str | None:
        """Return the Python name of the field that tells the members of a union apart, if one constant field does."""
        if not isinstance(type_, Either):
            return None
        shapes = [self._facade.types[member.name] if isinstance(member, Ref) else None for member in type_.members]
        for candidate in shapes[0].fields or () if shapes[0] else ():
            if len({_constant(shape, candidate.wire) for shape in shapes} - {None}) == len(shapes):
                return candidate.name
        return None

    def _class(self, merged: Merged) -> str:
        base = merged.base or "Model"
        (self._models if merged.base is None else self._say.names).add(base)
        about = (
            _about(merged.description, merged.revisions, self._facade.revisions) or f"See {merged.name} in the schema."
        )
        fields = [self._field(own, merged) for own in merged.fields or () if not self._is_inherited(own, merged)]
        return "".join([f"class {merged.name}({base}):\n", text.doc(about), "\n" if fields else "", *fields])

    def _is_inherited(self, own: MergedField, merged: Merged) -> bool:
        base = self._facade.types[merged.base] if merged.base else None
        theirs = base.field(own.wire) if base else None
        return theirs is not None and (own.required, own.default) == (theirs.required, theirs.default)

    def _field(self, own: MergedField, merged: Merged) -> str:
        about = _about(own.description, own.revisions, merged.revisions)
        return self._declaration(own) + text.doc(about)

    def _declaration(self, own: MergedField) -> str:
        head = f"{text.INDENT}{own.name}: {self._annotation(own)}"
        has_default = not own.required or own.default is not None
        if _derived_alias(own.name) == own.wire or own.wire in SHARED_ALIASES:
            return f"{head} = {text.flat(own.default)}\n" if has_default else f"{head}\n"
        self._say.pydantic.add("Field")
        aliases = [f'validation_alias="{own.wire}"', f'serialization_alias="{own.wire}"']
        default = [f"default={text.flat(own.default)}"] if has_default else []
        return text.bracketed(f"{head} = Field", [*default, *aliases], indent=text.INDENT)

    def _annotation(self, own: MergedField) -> str:
        said = self._tagged(own.type)
        return said if own.required or own.default is not None or isinstance(own.type, Anything) else f"{said} | None"

    def _tagged(self, type_: Type) -> str:
        tag = self._discriminator(type_)
        if tag is None:
            return self._say.of(type_)
        self._say.typing.add("Annotated")
        self._say.pydantic.add("Field")
        return f'Annotated[{self._say.of(type_)}, Field(discriminator="{tag}")]'


SHARED_ALIASES = ("_meta", "$schema")  # known to mcport.spec.model


def _derived_alias(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _constant(merged: Merged | None, wire: str) -> str | int | None:
    found = merged.field(wire) if merged else None
    return found.type.value if found and found.required and isinstance(found.type, Const) else None


def _order(facade: Facade, family: Family) -> list[str]:
    """Return the names of `family` so that each stands after those it needs."""
    definitions = {name: Definition(name, _needs(facade.types[name])) for name in family.types}
    return in_order(definitions)


def _needs(merged: Merged) -> Type:
    bases: tuple[Type, ...] = (Ref(merged.base),) if merged.base else ()
    return Either((merged.type, *bases, *(own.type for own in merged.fields or ())))


def _about(description: str, having: tuple[str, ...], of: tuple[str, ...]) -> str:
    """Return `description`, and in which revisions `of` its surroundings it is not there."""
    return "\n\n".join(part for part in (description, _span(having, of)) if part)


def _span(having: tuple[str, ...], of: tuple[str, ...]) -> str:
    since, until = having[0] != of[0], having[-1] != of[-1]
    if since and until:
        return f"Only in {having[0]}." if len(having) == 1 else f"From {having[0]} to {having[-1]}."
    return f"Since {having[0]}." if since else f"Until {having[-1]}." if until else ""


def _index(rows: Rows, sources: Mapping[str, str]) -> str:
    homes = dict(sorted(rows.placed.items()))
    about = (
        "The facade: one set of models for all revisions. A name is loaded with its family when it is first asked for; "
        "what one revision lacks, demands or fills in stands in `mcport.spec.deltas`. The experimental tasks of the "
        "last handshake revision are not offered and have no types here; the exact models have them."
    )
    modules = {
        f"{PACKAGE}.{family.name}": family.types for family in sorted(rows.families, key=lambda family: family.name)
    }
    return (
        text.header(about, sources)
        + text.FUTURE
        + "\nfrom importlib import import_module\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
        + text.imports(modules, text.INDENT)
        + "\n"
        + text.assignment("_HOMES", homes)
        + "\n__all__ = [\n"
        + "".join(f'    "{name}",\n' for name in sorted(homes))
        + "]\n"
        + _LOADING
    )


_LOADING = '''

def __getattr__(name: str) -> object:
    """Return the type called `name`, loading its family."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
'''
