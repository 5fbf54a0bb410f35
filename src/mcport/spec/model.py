"""The base of every type of the facade: how a value comes from the wire, and how it goes to a peer of one revision.

Python names are snake_case, wire names camelCase; unknown fields are kept and written again. A value is written by one
dump of pydantic's core: fields that the revision lacks are excluded, fields that it demands are checked or filled in,
and nothing that a user put into a JSON value is looked at. It refuses to know which field that is: `deltas` says.
Nothing sits below but the tables of this room and pydantic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema, to_json

from mcport.spec.scalars import FROM_WIRE, JSONObject

if TYPE_CHECKING:
    from mcport.spec.deltas import ExcludeTree

TYPES_PACKAGE: Final = "mcport.spec.types."
WIRE_NAMES: Final = {"meta": "_meta", "schema_uri": "$schema"}


class Unsendable(ValueError):
    """A value cannot be said in a revision: it lacks what the revision demands, or the revision has no such type."""


def wire_name(name: str) -> str:
    """Return the JSON name of the field that Python calls `name`."""
    if name in WIRE_NAMES:
        return WIRE_NAMES[name]
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def first_fault(error: ValidationError) -> str:
    """Return one line for the first thing that `error` complains of, such as `tools.0.inputSchema: Field required`."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, found["loc"]))
    return f"{where}: {found['msg']}" if where else found["msg"]


class Model(BaseModel):
    """A value of the protocol, made by hand (`Tool(name="add", input_schema={...})`) or read from the wire."""

    model_config = ConfigDict(
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="allow",
        defer_build=True,
        ser_json_inf_nan="constants",  # bare, so that whoever sends the bytes finds them; null would be a lie
    )

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Return the value that the parsed JSON `data` stands for.

        Only wire names are names of fields here, and bounds are not enforced: what comes from a peer is read as it is.
        Raises `pydantic.ValidationError`; `first_fault` makes one line of it.
        """
        found: Self = cls.__pydantic_validator__.validate_python(data, by_alias=True, by_name=False, context=FROM_WIRE)
        return found

    def to_json(self, revision: str | None = None) -> bytes:
        """Return this value as the JSON text for a peer of `revision`; without one, with all that it holds.

        None is left out, except where null is legal and was set. Values inside plain JSON fields, `meta` and unknown
        fields are written as they are. Raises `Unsendable` if the revision demands a field that is not set.
        """
        plan = _PLANS.get((type(self), revision)) or _plan(type(self), revision)
        ready = self if plan.is_plain else plan.ready(self)
        body = self.__pydantic_serializer__.to_json(ready, by_alias=True, exclude_defaults=True, exclude=plan.absent)
        return plan.completed(self, body) if plan.filled else body

    def to_wire(self, revision: str | None = None) -> JSONObject:
        """Return what `to_json` writes, as a dictionary of plain JSON values."""
        plan = _plan(type(self), revision)
        body: JSONObject = self.__pydantic_serializer__.to_python(
            plan.ready(self), mode="json", by_alias=True, exclude_defaults=True, exclude=plan.absent
        )
        filled = {wire: value for name, wire, value in plan.fillings if getattr(self, name) is None}
        return {**filled, **body}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Leave None as the only default that `exclude_defaults` leaves out: constants are always written.

        (`exclude_none` would drop nulls among unknown fields, and `exclude_unset` would drop constants.)
        """
        schema = handler(source)
        for each in _fields(handler.resolve_ref_schema(schema)):
            default: dict[str, object] = each["schema"]
            if default["type"] == "default" and default.get("default") is not None:
                default["serialization"] = core_schema.simple_ser_schema("any")
        return schema

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)


def _fields(schema: Any) -> Iterable[Any]:
    """Return the schemas of the fields of a model, which stand below whatever validators there are around it."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    fields: Mapping[str, Any] = schema["fields"]
    return fields.values()


class _Null(Enum):
    """A null that is to be written: not None, so it is no default; and an enumeration is written as its value."""

    NULL = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has to be done to write values of one class for one revision; names of fields are Python's."""

    what: str
    absent: ExcludeTree | None = None
    demanded: tuple[str, ...] = ()
    nullable: tuple[str, ...] = ()
    trimmed: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    fillings: tuple[tuple[str, str, str | int], ...] = ()
    filled: tuple[tuple[str, bytes], ...] = ()
    revision: str | None = None
    is_plain: bool = field(init=False)
    """Whether a value is ready as it is."""

    def __post_init__(self) -> None:
        is_busy = self.demanded or self.nullable or self.trimmed or self.inside
        object.__setattr__(self, "is_plain", not is_busy)

    def ready(self, model: Model) -> Model:
        """Return `model`, or a copy of it, so that one dump with the exclude tree writes it rightly."""
        changes: dict[str, object] = {}
        for name in self.demanded:
            if getattr(model, name) is None:
                raise Unsendable(f"{self.what} to a peer of {self.revision} must have {wire_name(name)!r}")
        for name in self.nullable:
            if getattr(model, name) is None and name in model.__pydantic_fields_set__:
                changes[name] = _Null.NULL
        for name in self.trimmed:
            changes[name] = None
        for name in self.inside:
            value = getattr(model, name)
            changed = _ready(value, self.revision)
            if changed is not value:
                changes[name] = changed
        return model.model_copy(update=changes) if changes else model

    def completed(self, model: Model, body: bytes) -> bytes:
        """Return the JSON object `body`, which was written from `model`, with the fields that are filled in."""
        texts = [text for name, text in self.filled if getattr(model, name) is None]
        if not texts:
            return body
        return b"{" + b",".join(texts) + (b"," if len(body) > 2 else b"") + body[1:]


def _ready(value: object, revision: str | None) -> object:
    """Return `value`, or a changed copy of it, with every model inside it ready to be written."""
    if isinstance(value, Model):
        return _plan(type(value), revision).ready(value)
    if isinstance(value, list):
        items = [_ready(item, revision) for item in value]
        return value if all(map(_is, items, value)) else items
    if isinstance(value, dict):
        entries = {key: _ready(item, revision) for key, item in value.items()}
        return value if all(map(_is, entries.values(), value.values())) else entries
    return value


def _is(one: object, other: object) -> bool:
    return one is other


_PLANS: dict[tuple[type[Model], str | None], _Plan] = {}


def _plan(model: type[Model], revision: str | None) -> _Plan:
    """Return the plan for `model` and `revision`, made once."""
    plan = _PLANS.get((model, revision))
    if plan is None:
        plan = _PLANS[model, revision] = _planned(model, revision)
    return plan


def _planned(model: type[Model], revision: str | None) -> _Plan:
    from mcport.spec import deltas  # only who writes needs the tables

    name = _known_as(model)
    if name is None:
        return _Plan(model.__name__)
    if revision is None:
        return _Plan(
            name, nullable=deltas.NULLABLE[deltas.ANY].get(name, ()), inside=deltas.INSIDE[deltas.ANY].get(name, ())
        )
    if name not in deltas.ABSENT[revision]:
        raise Unsendable(f"revision {revision} has no {name}")
    fillings = tuple((own, wire_name(own), value) for own, value in deltas.FILLED[revision].get(name, {}).items())
    return _Plan(
        name,
        absent=deltas.ABSENT[revision][name] or None,
        demanded=deltas.DEMANDED[revision].get(name, ()),
        nullable=deltas.NULLABLE[revision].get(name, ()),
        trimmed=deltas.TRIMMED[revision].get(name, ()),
        inside=deltas.INSIDE[revision].get(name, ()),
        fillings=fillings,
        filled=tuple((own, to_json({wire: value})[1:-1]) for own, wire, value in fillings),
        revision=revision,
    )


def _known_as(model: type[Model]) -> str | None:
    """Return the name of the facade's type that `model` is or is derived from, or None."""
    return next((base.__name__ for base in model.__mro__ if base.__module__.startswith(TYPES_PACKAGE)), None)
