"""The exact models accept what their schema accepts, and nothing else; a JSON Schema validator is the other judge."""

from __future__ import annotations

import importlib
import json
from functools import cache
from types import ModuleType
from typing import Any, cast

import jsonschema_rs
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.generate.model import Json
from schema.generate.read import patched
from schema.generate.write_samples import changed
from tests.spec.instances import JSON, REVISIONS, ROOT, instances, same, schema_of, sources

DIALECTS = {"2020-12": jsonschema_rs.Draft202012Validator, "draft-07": jsonschema_rs.Draft7Validator}


def module(revision: str) -> ModuleType:
    return importlib.import_module(f"mcport.spec.wire.r{revision.replace('-', '_')}")


@cache
def document(revision: str) -> dict[str, Any]:
    return patched(ROOT / "schema" / f"{revision}.json", sources().rows.patches)


@cache
def schema_judge(revision: str, name: str) -> Any:
    whole = document(revision)
    definitions = "$defs" if "$defs" in whole else "definitions"
    dialect = next(judge for word, judge in DIALECTS.items() if word in whole["$schema"])
    only = {"$ref": f"#/{definitions}/{name}", definitions: whole[definitions]}
    return dialect(only, validate_formats=False)


def accepted(revision: str, name: str, value: Json, strict: bool | None = True) -> bool:
    """Tell whether the exact model takes `value` and writes just that value again."""
    model = getattr(module(revision), name)
    try:
        found = model.model_validate_json(json.dumps(value), strict=strict)
    except pydantic.ValidationError:
        return False
    assert same(json.loads(found.to_json()), value), f"{name} writes {found.to_json()}"
    return True


@cache
def samples(revision: str) -> dict[str, dict[str, list[Json]]]:
    text = (ROOT / "tests/spec/samples" / f"{revision}.json").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, list[Json]]]", json.loads(text)["samples"])


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_definition_has_an_exact_model_and_samples(revision: str) -> None:
    names = set(schema_of(revision).definitions)
    assert names == set(samples(revision))
    assert all(issubclass(getattr(module(revision), name), pydantic.BaseModel) for name in names)


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("strict", [True, None])
def test_every_right_sample_is_accepted_and_written_as_it_was(revision: str, strict: bool | None) -> None:
    for name, sample in samples(revision).items():
        for value in sample["valid"]:
            assert accepted(revision, name, value, strict), (name, value)


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("strict", [True, None])
def test_every_wrong_sample_is_refused(revision: str, strict: bool | None) -> None:
    for name, sample in samples(revision).items():
        full = sample["valid"][min(1, len(sample["valid"]) - 1)]
        for row in sample["invalid"]:
            assert isinstance(row, list)
            assert not accepted(revision, name, changed(full, row), strict), (name, row)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_json_schema_validator_says_the_same_of_every_sample(revision: str) -> None:
    for name, sample in samples(revision).items():
        full = sample["valid"][min(1, len(sample["valid"]) - 1)]
        judge = schema_judge(revision, name)
        assert all(judge.is_valid(value) for value in sample["valid"]), name
        assert not any(judge.is_valid(changed(full, cast("list[Json]", row))) for row in sample["invalid"]), name


@pytest.mark.parametrize("revision", REVISIONS)
@given(data=st.data())
@settings(max_examples=60)
def test_model_and_validator_agree_on_values_right_and_damaged(revision: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(schema_of(revision).definitions)))
    value = data.draw(instances(revision, name))
    assert schema_judge(revision, name).is_valid(value), "the strategy makes wrong values"
    assert accepted(revision, name, value)
    broken = damaged(value, data)
    assert accepted(revision, name, broken) == schema_judge(revision, name).is_valid(broken), (name, broken)


def damaged(value: Json, data: st.DataObject) -> Json:
    """Return `value` with one part of it, however deep, replaced by any JSON value or taken away."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()):
            return {other: part for other, part in value.items() if other != key}
        return {**value, key: damaged(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [damaged(value[0], data), *value[1:]]
    return data.draw(JSON)


@pytest.mark.parametrize("revision", REVISIONS)
def test_python_names_are_no_wire_names(revision: str) -> None:
    tool = {"name": "add", "input_schema": {"type": "object"}}
    assert not accepted(revision, "Tool", cast("Json", tool))
    assert accepted(revision, "Tool", cast("Json", tool | {"inputSchema": {"type": "object"}}))


def test_a_field_that_may_be_left_out_may_not_be_null() -> None:
    newest = REVISIONS[-1]
    assert accepted(newest, "Root", {"uri": "file:///a"})
    assert not accepted(newest, "Root", {"uri": "file:///a", "name": None})


def test_a_whole_number_may_be_written_with_a_point_but_never_as_text_or_boolean() -> None:
    newest = REVISIONS[-1]
    result: dict[str, Json] = {"resultType": "complete", "cacheScope": "private", "tools": []}
    assert [accepted(newest, "ListToolsResult", {**result, "ttlMs": ttl}) for ttl in (5, 5.0)] == [True, True]
    assert not any(accepted(newest, "ListToolsResult", {**result, "ttlMs": ttl}) for ttl in (5.5, "5", True, -1))


def test_at_most_a_hundred_completions_pass_where_the_schema_counts_them() -> None:
    def completion(count: int) -> Json:
        return {"resultType": "complete", "completion": {"values": ["a"] * count}}

    assert accepted(REVISIONS[-1], "CompleteResult", completion(100))
    assert not accepted(REVISIONS[-1], "CompleteResult", completion(101))
