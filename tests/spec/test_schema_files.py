"""The schema files: the published structure is in them, every part is described, and the data files say so too."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.generate import layout, prose

SCHEMA = Path(prose.__file__).parents[1]
PINNED: dict[str, str] = tomllib.loads(Path(__file__).with_name("structure_hashes.toml").read_text(encoding="utf-8"))
REVISIONS = sorted(PINNED)

WORDING = {"description", "title", "examples", "$comment", "$id"}
NAMES_INSIDE = {"properties", "patternProperties", "$defs"}
ORDER_FREE = {"required", "enum", "anyOf", "oneOf", "allOf", "type"}
FILLERS = {"a", "an", "and", "for", "in", "is", "its", "of", "on", "or", "that", "the", "this", "to"}


def read(revision: str) -> dict[str, object]:
    document: dict[str, object] = json.loads((SCHEMA / f"{revision}.json").read_text(encoding="utf-8"))
    return document


def structure(node: object, names: bool = False) -> object:
    """Reduce a schema to what a validator acts on; `names` says that the keys of `node` are names, not keywords."""
    if isinstance(node, list):
        return [structure(item) for item in node]
    if not isinstance(node, dict):
        return node.replace("#/definitions/", "#/$defs/") if isinstance(node, str) else node
    if names:
        return {name: structure(part) for name, part in node.items()}
    kept = {"$defs" if key == "definitions" else key: value for key, value in node.items() if key not in WORDING}
    return {key: ordered(key, structure(value, names=key in NAMES_INSIDE)) for key, value in kept.items()}


def ordered(keyword: str, value: object) -> object:
    if keyword in ORDER_FREE and isinstance(value, list):
        return sorted(value, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def structure_hash(document: dict[str, object]) -> str:
    text = json.dumps(structure(document), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def named_parts(node: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, object]]]:
    """Yield every definition and every property, however deep, with its path."""
    if isinstance(node, list):
        for item in node:
            yield from named_parts(item, path)
    elif isinstance(node, dict):
        for keyword, value in node.items():
            if keyword in {"definitions", *NAMES_INSIDE}:
                for name, part in value.items():
                    yield (*path, name), part
                    yield from named_parts(part, (*path, name))
            else:
                yield from named_parts(value, path)


def words(text: str) -> set[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    found = set(re.findall(r"[a-z0-9]+", apart.lower())) - FILLERS
    return {word.rstrip("s") for word in found}


def restates(path: tuple[str, ...], text: str) -> bool:
    """Tell whether `text` says no more than the names on `path` do."""
    return words(text) <= words(" ".join(path))


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_structure_of_a_revision_is_the_published_one(revision: str) -> None:
    assert structure_hash(read(revision)) == PINNED[revision]


def test_every_schema_file_has_a_pinned_structure_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in SCHEMA.glob("*.json")) == REVISIONS


def test_the_hash_sees_a_changed_bound_and_overlooks_wording_and_order() -> None:
    first: dict[str, object] = {"$defs": {"A": {"type": "integer", "minimum": 0, "required": ["a", "b"]}}}
    same: dict[str, object] = {
        "definitions": {"A": {"required": ["b", "a"], "description": "New.", "minimum": 0, "type": "integer"}}
    }
    other: dict[str, object] = {"$defs": {"A": {"type": "integer", "minimum": 1, "required": ["a", "b"]}}}
    assert structure_hash(first) == structure_hash(same)
    assert structure_hash(first) != structure_hash(other)


def test_the_hash_keeps_properties_whose_names_are_keywords() -> None:
    with_title: dict[str, object] = {"properties": {"title": {"type": "string"}}}
    assert structure_hash(with_title) != structure_hash({"properties": {}})


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_definition_and_property_is_described(revision: str) -> None:
    bare = [".".join(path) for path, part in named_parts(read(revision)) if not part.get("description")]
    assert bare == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_description_is_one_finished_line_that_says_more_than_the_name(revision: str) -> None:
    for path, part in named_parts(read(revision)):
        text = str(part["description"])
        assert re.fullmatch(r"\S.{8,210}[.]", text), (path, text)
        assert not restates(path, text), (path, text)


def test_a_restated_name_is_recognised() -> None:
    assert restates(("Tool", "name"), "The name of the tool.")
    assert restates(("ListToolsResult", "nextCursor"), "The next cursor.")
    assert not restates(("Tool", "name"), "Identifier to call it by.")


@pytest.mark.parametrize("revision", REVISIONS)
def test_no_two_definitions_share_a_description(revision: str) -> None:
    own = Counter(str(part["description"]) for path, part in named_parts(read(revision)) if len(path) == 1)
    assert [text for text, count in own.items() if count > 1] == []


def test_the_schema_files_are_what_the_data_files_and_the_layout_make() -> None:
    assert prose.check(SCHEMA) == []


def test_a_description_edited_in_a_schema_file_is_reported_and_put_right(tmp_path: Path) -> None:
    folder = shutil.copytree(SCHEMA, tmp_path / "schema", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    before = (folder / "2025-11-25.json").read_text(encoding="utf-8")
    (folder / "2025-11-25.json").write_text(before.replace('"description": "', '"description": "Well, '), "utf-8")
    assert prose.check(folder) == ["2025-11-25.json: not as its descriptions and the layout make it"]
    assert prose.apply(folder) == []
    assert (folder / "2025-11-25.json").read_text(encoding="utf-8") == before


def small_folder(tmp_path: Path, entries: str, **documents: dict[str, object]) -> Path:
    (tmp_path / "descriptions").mkdir()
    (tmp_path / "descriptions" / "all.toml").write_text('"#" = "The file."\n' + entries, encoding="utf-8")
    for name, definitions in documents.items():
        text = json.dumps({"$schema": "x", "definitions": definitions})
        (tmp_path / f"{name.strip('_').replace('_', '-')}.json").write_text(text, encoding="utf-8")
    return tmp_path


def descriptions_in(folder: Path, revision: str) -> dict[str, object]:
    document = json.loads((folder / f"{revision}.json").read_text(encoding="utf-8"))
    return {".".join(path): part.get("description") for path, part in named_parts(document)}


def test_what_has_no_description_and_what_describes_nothing_are_both_reported(tmp_path: Path) -> None:
    folder = small_folder(tmp_path, '"B" = "Nothing."\n', _2025_01_01={"A": {"properties": {"x": {}}}})
    assert prose.apply(folder) == [
        "A has no description in 2025-01-01",
        "A.x has no description in 2025-01-01",
        "descriptions: 'B' describes nothing",
    ]


def test_an_entry_in_two_data_files_is_reported(tmp_path: Path) -> None:
    folder = small_folder(tmp_path, '"A" = "One."\n', _2025_01_01={"A": {}})
    (folder / "descriptions" / "more.toml").write_text('"A" = "Two."\n', encoding="utf-8")
    assert prose.check(folder)[0] == "more.toml: 'A' is described twice"


def test_a_path_is_described_by_its_own_entry_before_a_starred_one_and_by_the_longest_of_those(tmp_path: Path) -> None:
    entries = '"A" = "A."\n"A.x" = "Own."\n"*.x" = "Short."\n"*.y.x" = "Long."\n'
    inner: dict[str, object] = {"items": {"properties": {"x": {}}}}
    folder = small_folder(tmp_path, entries, _2025_01_01={"A": {"properties": {"x": {}, "xx": inner, "y": inner}}})
    complaints = prose.apply(folder)
    assert descriptions_in(folder, "2025-01-01") == {
        "A": "A.", "A.x": "Own.", "A.xx": None, "A.xx.x": "Short.", "A.y": None, "A.y.x": "Long.",
    }  # fmt: skip
    assert len(complaints) == 2


def test_inline_parameters_take_the_descriptions_of_the_definition_that_later_replaced_them(tmp_path: Path) -> None:
    entries = '"CallRequest" = "R."\n"*.params" = "P."\n"CallRequestParams.x" = "X."\n"*.x" = "Other."\n'
    inline: dict[str, object] = {"properties": {"params": {"properties": {"x": {}}}}}
    folder = small_folder(tmp_path, entries, _2025_01_01={"CallRequest": inline})
    prose.apply(folder)
    assert descriptions_in(folder, "2025-01-01")["CallRequest.params.x"] == "X."


def test_a_text_holds_from_its_revision_until_the_next(tmp_path: Path) -> None:
    entries = '[A]\n2025-02-01 = "Second."\n2025-04-01 = "Fourth."\n'
    documents: dict[str, dict[str, object]] = {f"_2025_0{month}_01": {"A": {}} for month in range(1, 5)}
    folder = small_folder(tmp_path, entries, **documents)
    assert prose.apply(folder) == ["A has no description in 2025-01-01"]
    found = [descriptions_in(folder, f"2025-0{month}-01")["A"] for month in range(1, 5)]
    assert found == [None, "Second.", "Second.", "Fourth."]


def test_the_publishers_prose_goes_and_properties_named_like_it_stay(tmp_path: Path) -> None:
    part: dict[str, object] = {"title": "T", "examples": [1], "properties": {"title": {"description": "Theirs."}}}
    folder = small_folder(tmp_path, '"*A" = "Ours."\n"*.title" = "Ours too."\n', _2025_01_01={"A": part})
    assert prose.apply(folder) == []
    written = json.loads((folder / "2025-01-01.json").read_text(encoding="utf-8"))["definitions"]["A"]
    assert written == {"description": "Ours.", "properties": {"title": {"description": "Ours too."}}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60),
    lambda part: st.lists(part, max_size=5) | st.dictionaries(st.text(max_size=12), part, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(st.text(max_size=12) | st.just("properties"), JSON, max_size=5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_layout_keeps_the_value_and_the_order_of_keys(document: dict[str, object]) -> None:
    again = json.loads(layout.lay_out(document))
    assert json.dumps(again) == json.dumps(document)


@pytest.mark.parametrize("revision", REVISIONS)
def test_only_a_text_that_is_longer_than_a_line_makes_a_line_longer_than_the_width(revision: str) -> None:
    lines = (SCHEMA / f"{revision}.json").read_text(encoding="utf-8").splitlines()
    wide = [line for line in lines if len(line) > layout.WIDTH]
    assert [line for line in wide if not re.fullmatch(r' *"description": ".*",?', line)] == []


def test_a_property_stands_on_one_line_where_it_fits_and_is_nested_where_not() -> None:
    long = "x" * 140
    text = layout.lay_out({"properties": {"a": {"type": "string"}, "b": {"description": long, "type": "string"}}})
    assert text.splitlines() == [
        "{",
        '  "properties": {',
        '    "a": {"type": "string"},',
        '    "b": {',
        f'      "description": "{long}",',
        '      "type": "string"',
        "    }",
        "  }",
        "}",
    ]


def test_a_long_list_of_plain_values_is_filled_line_by_line() -> None:
    lines = layout.lay_out({"enum": [f"value-{number}" for number in range(40)]}).splitlines()
    assert len(lines) == 8
    assert all(len(line) <= layout.WIDTH for line in lines)
