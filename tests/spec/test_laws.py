"""The laws that tie the facade to the exact models, for every revision.

Whatever an exact model takes goes through the facade and comes out as it was; what a revision does not know never goes
to it; what nobody knows is kept. The values are made from the schemas, so a new revision needs no new test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import mcport.spec.types
from mcport.spec.methods import METHODS
from mcport.spec.model import Model, Unsendable
from schema.generate.judge import admits
from schema.generate.model import Const, Either, Json, Many, Map, Ref, Shape, Type
from tests.spec.instances import REVISIONS, instances, same, schema_of, sources
from tests.spec.test_types_exact import accepted


def facade(name: str) -> type[Model]:
    found = getattr(mcport.spec.types, name)
    assert isinstance(found, type)
    assert issubclass(found, Model)
    return found


def through(model: type[Model], value: Json, revision: str | None) -> Json:
    """Return what comes out when `value` is read from the wire and written for a peer of `revision`."""
    return cast("Json", json.loads(model.from_wire(value).to_json(revision)))


@cache
def direct(revision: str) -> list[tuple[str, str]]:
    """Return (definition, facade type) for the objects of `revision` that the facade has."""
    renamed = sources().rows.renamed_in(revision)
    pairs = [(name, renamed.get(name, name)) for name in sorted(schema_of(revision).definitions)]
    types = sources().facade.types
    return [(name, now) for name, now in pairs if now in types and types[now].fields is not None]


@cache
def carried(revision: str) -> list[tuple[str, str]]:
    """Return (definition, facade type of its params) for the requests and notifications of `revision`."""
    found = []
    for name, definition in sorted(schema_of(revision).definitions.items()):
        method = definition.type.field("method") if isinstance(definition.type, Shape) else None
        entry = METHODS.get(str(method.type.value)) if method and isinstance(method.type, Const) else None
        if entry and entry.params and isinstance(getattr(mcport.spec.types, entry.params), type):
            found.append((name, entry.params))
    return found


@pytest.mark.parametrize("revision", REVISIONS)
@given(data=st.data())
@settings(max_examples=50)
def test_whatever_an_exact_model_takes_comes_through_the_facade_as_it_was(revision: str, data: st.DataObject) -> None:
    name, now = data.draw(st.sampled_from(direct(revision)))
    value = data.draw(instances(revision, name))
    out = through(facade(now), value, revision)
    assert same(out, value)
    assert accepted(revision, name, out)
    assert same(facade(now).from_wire(value).to_wire(revision), out), "the dictionary differs from the text"


@pytest.mark.parametrize("revision", REVISIONS)
@given(data=st.data())
@settings(max_examples=50)
def test_the_params_of_every_message_come_through_the_facade_as_they_were(revision: str, data: st.DataObject) -> None:
    name, params = data.draw(st.sampled_from(carried(revision)))
    message = data.draw(instances(revision, name))
    assert isinstance(message, dict)
    assume("params" in message)
    out = through(facade(params), message["params"], revision)
    assert same(out, message["params"])
    assert accepted(revision, name, {**message, "params": out})


@pytest.mark.parametrize("revision", REVISIONS)
@given(data=st.data())
@settings(max_examples=50)
def test_what_only_other_revisions_have_never_goes_to_a_peer(revision: str, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from([each for each in REVISIONS if each != revision]))
    name, now = data.draw(st.sampled_from([pair for pair in direct(other) if pair[1] in definitions(revision)]))
    value = facade(now).from_wire(data.draw(instances(other, name)))
    try:
        out = cast("Json", json.loads(value.to_json(revision)))
    except Unsendable:
        reject()  # nothing went out
    assert list(strange(out, Ref(now), revision)) == []


@given(data=st.data())
@settings(max_examples=50)
def test_without_a_revision_everything_is_written(data: st.DataObject) -> None:
    revision = data.draw(st.sampled_from(REVISIONS))
    name, now = data.draw(st.sampled_from(direct(revision)))
    value = data.draw(instances(revision, name))
    assert same(through(facade(now), value, None), value)


def definitions(revision: str) -> Mapping[str, object]:
    return sources().facade.aligned[revision]


def strange(value: Json, type_: Type, revision: str) -> Iterator[str]:
    """Yield the keys in `value` that the facade knows and `type_`, as it is in `revision`, does not.

    (`extensions` of capabilities is always sent: facade.toml says why.)
    """
    match type_:
        case Ref(name):
            shape, known = sources().facade.aligned[revision][name].type, sources().facade.types[name].fields or ()
            if isinstance(shape, Shape) and isinstance(value, dict):
                absent = {own.wire for own in known if shape.field(own.wire) is None and own.wire != "extensions"}
                yield from sorted(absent & value.keys())
            yield from strange(value, shape, revision)
        case Many(item) if isinstance(value, list):
            for each in value:
                yield from strange(each, item, revision)
        case Map(each_type) if isinstance(value, dict):
            for each in value.values():
                yield from strange(each, each_type, revision)
        case Either(members):
            fitting = [member for member in members if admits(member, value, sources().facade.aligned[revision])]
            yield from min((list(strange(value, member, revision)) for member in fitting), key=len, default=[])
        case Shape(fields) if isinstance(value, dict):
            for field in fields:
                if field.wire in value:
                    yield from strange(value[field.wire], field.type, revision)
