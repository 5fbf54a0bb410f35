"""A pydantic core schema, rewritten for values that a JSON parser has already turned into Python.

pydantic reads JSON types exactly only while it parses the text itself; given Python values it takes `"5"` for an
integer, or, if strict, no text for a date. Here its core schema is rewritten so that already parsed values are read
as in JSON: an integer is a number without fraction (`3.0` too), never text and never a boolean; dates, UUIDs and
enums come as text; a null for something with a default means the default. All of it runs inside pydantic-core.
Branches of unions get marked labels, by which `problems` knows them in an error's location.

Refuses to know parameters, JSON Schema and error texts. Below sits pydantic-core.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic_core import PydanticUseDefault, to_json

__all__ = ["ABSENT", "BRANCH", "listed", "read_as_json", "stop_early"]

Node = dict[str, Any]
"""A core schema, or one of its fields, as the plain dicts that they are: pydantic's type for it has sixty branches."""

BRANCH = "\x00|"
"""Begins the label of a union's branch in an error's location; no field of a model and no index looks like it."""

ABSENT = f"{BRANCH}absent"
"""The label of the branch that takes null as absent, which is nothing to tell users about."""

_NESTED = frozenset(
    {
        *("schema", "items_schema", "values_schema", "extras_schema", "json_schema", "strict_schema"),
        *("arguments_schema", "var_args_schema", "var_kwargs_schema", "choices", "steps", "definitions", "fields"),
    }
)
"""Where core schemas hold further schemas that read values. Keys of objects are left alone: in JSON they are text."""

_LISTS = frozenset({"list", "tuple", "set", "frozenset", "deque"})


def read_as_json(schema: Node) -> Node:
    """Return the schema for already parsed JSON values; the one given stays as it is."""
    return _rewritten(schema)


def stop_early(node: Node) -> Node:
    """Return the schema so that arrays report their first bad item only: millions of errors cost seconds."""
    node = _with_children(node, stop_early)
    return {**node, "fail_fast": True} if node.get("type") in _LISTS else node


def listed(values: Iterable[object]) -> str:
    """Write values as a choice: `'a', 'b' or null`; members of enums count as their values."""
    raw = [value.value if isinstance(value, Enum) else value for value in values]
    shown = [to_json(value).decode() if value is None or isinstance(value, bool) else repr(value) for value in raw]
    first, last = list(dict.fromkeys(shown))[:-1], shown[-1:]
    return " or ".join(filter(None, [", ".join(first), *last]))


def _rewritten(node: Node) -> Node:
    reference = node.get("ref")
    rule = _RULES.get(str(node.get("type")), _plain)
    result = rule({key: value for key, value in node.items() if key != "ref"})
    return result if reference is None else {**result, "ref": reference}


def _with_children(node: Node, change: Callable[[Node], Node]) -> Node:
    return {key: _child(key, value, change) if key in _NESTED else value for key, value in node.items()}


def _child(key: str, value: object, change: Callable[[Node], Node]) -> object:
    if isinstance(value, list):
        return [_child(key, each, change) for each in value]
    if isinstance(value, tuple):  # one choice of a union with its label
        return (change(value[0]), *value[1:])
    if isinstance(value, dict):
        if key in ("fields", "choices"):
            return {name: _child("", each, change) for name, each in value.items()}
        return change(value)
    return value


def _plain(node: Node) -> Node:
    """Rewrite what is inside, and drop strictness: it speaks of Python's types, where a date is never text."""
    node = _with_children(node, _rewritten)
    if node.get("strict"):
        node["strict"] = False
    config = node.get("config")
    if isinstance(config, dict) and config.get("strict"):
        node["config"] = {**config, "strict": False}
    return node


def _exact(node: Node) -> Node:
    """Take no other JSON type, unless the author asked for that with `strict=False`."""
    return node if node.get("strict") is False else {**node, "strict": True}


def _finite(node: Node) -> Node:
    """Take numbers that are some: `1e400` is JSON, and infinite for Python. Authors may want it so."""
    return _exact({"allow_inf_nan": False, **node})


def _integer(node: Node) -> Node:
    """Take integers, and numbers such as 3.0, which JSON Schema counts among them."""
    if node.get("strict") is False:
        return node
    number = _error({"type": "float", "strict": True, "allow_inf_nan": False}, "int_type")
    rounded: Node = {"type": "chain", "steps": [number, {**node, "strict": False}]}
    return _first_of(({**node, "strict": True}, f"{BRANCH}0"), (rounded, f"{BRANCH}1"))


def _textual(node: Node) -> Node:
    """Take text only, and no digits alone: pydantic would read a number, and `"2026"`, as seconds since 1970."""
    kind = "time_delta" if node["type"] == "timedelta" else node["type"]
    digits = {"pattern": r"\d[-:]"} if node["type"] in ("date", "time", "datetime") else {}
    text = _error({"type": "str", "strict": True, **digits}, f"{kind}_type")
    return {"type": "chain", "steps": [text, {**node, "strict": False}]}


def _error(node: Node, kind: str, **context: object) -> Node:
    return {"type": "custom-error", "schema": node, "custom_error_type": kind, "custom_error_context": context}


def _first_of(*choices: tuple[Node, str]) -> Node:
    return {"type": "union", "choices": list(choices), "mode": "left_to_right"}


def _literal(node: Node) -> Node:
    """Take each value by its own JSON type, and the members of enums by their values."""
    expected = node["expected"]
    branches = _branches([value for value in expected if not isinstance(value, Enum)])
    members = [value for value in expected if isinstance(value, Enum)]
    for kind in dict.fromkeys(map(type, members)):
        branches.append(
            _enum({"type": "enum", "cls": kind, "members": [each for each in members if type(each) is kind]})
        )
    return _error(_any_of(branches), "literal_error", expected=listed(expected))


def _enum(node: Node) -> Node:
    """Take the values of members by their own JSON types, unless the enum itself finds members for others."""
    values = [member.value for member in node["members"]]
    finds_others = node["cls"]._missing_.__func__ is not Enum._missing_.__func__  # type: ignore[attr-defined]
    if finds_others or not all(isinstance(value, str | int | float | None) for value in values):
        return _plain(node)
    steps = [_any_of(_branches(values)), _plain(node)]
    return _error({"type": "chain", "steps": steps}, "enum", expected=listed(values))


def _branches(values: list[object]) -> list[Node]:
    """Schemas that take these values and tell 1 from true, which in Python are equal."""
    booleans: list[object] = [value for value in values if isinstance(value, bool)]
    integers: list[object] = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    others = [value for value in values if not isinstance(value, int)]
    typed = ({"type": "bool", "strict": True}, booleans), (_integer({"type": "int"}), integers)
    branches: list[Node] = [
        {"type": "chain", "steps": [first, {"type": "literal", "expected": each}]} for first, each in typed if each
    ]
    return [*branches, {"type": "literal", "expected": others}] if others else branches


def _any_of(branches: list[Node]) -> Node:
    return branches[0] if len(branches) == 1 else _first_of(*((branch, BRANCH) for branch in branches))


def _array(node: Node) -> Node:
    """Read an `Iterable` at once: lazily it would take any iterable, text included, and fail inside the function."""
    return {**_plain(node), "type": "list"}


def _strict_branch(node: Node) -> Node:
    """Keep the branch that reads JSON exactly (addresses, paths, secrets)."""
    return _rewritten(node["strict_schema"])


def _json_branch(node: Node) -> Node:
    return _rewritten(node["json_schema"])


def _nullable(node: Node) -> Node:
    """Make null a branch, so that an error names it."""
    return _first_of((_rewritten(node["schema"]), f"{BRANCH}0"), ({"type": "none"}, f"{BRANCH}1"))


def _default(node: Node) -> Node:
    """Take null as absent, unless null is a value of its own. Where the default is None it is not spoken of."""
    inner = node["schema"]
    if inner["type"] == "nullable":
        none = node.get("default", ...) is None
        return {**node, "schema": {**inner, "schema": _rewritten(inner["schema"])} if none else _rewritten(inner)}
    absent: Node = {"type": "chain", "steps": [{"type": "none"}, _USE_DEFAULT]}
    return {**node, "schema": _first_of((_rewritten(inner), f"{BRANCH}0"), (absent, ABSENT))}


def _use_default(_: object) -> object:
    raise PydanticUseDefault


_USE_DEFAULT: Node = {"type": "function-plain", "function": {"type": "no-info", "function": _use_default}}


def _union(node: Node) -> Node:
    inner = [choice[0] if isinstance(choice, tuple) else choice for choice in node["choices"]]
    return {**_plain(node), "choices": [(_rewritten(each), f"{BRANCH}{n}") for n, each in enumerate(inner)]}


def _tagged_union(node: Node) -> Node:
    """Mark the tags as labels of branches, and say in words what is wrong with a tag."""
    choices = node["choices"]
    marks = {tag: f"{BRANCH}{number}" for number, tag in enumerate(choices)}
    discriminator = node["discriminator"]
    known = (
        f"whose '{discriminator}' is {listed(list(choices))}" if isinstance(discriminator, str) else "of a known kind"
    )
    return {
        "custom_error_type": "tag",
        "custom_error_message": f"must be an object {known}",
        **_plain({key: value for key, value in node.items() if key != "choices"}),
        "choices": {marks[tag]: _rewritten(each) for tag, each in choices.items()},
        "discriminator": _marking(discriminator, marks),
    }


def _marking(discriminator: object, marks: Mapping[Hashable, str]) -> Callable[[object], str | None]:
    """Return the function that finds a value's tag as pydantic would, and gives the tag's mark."""

    def mark(value: object) -> str | None:
        tag = discriminator(value) if callable(discriminator) else _tag(value, discriminator)
        return marks.get(tag) if isinstance(tag, Hashable) else None

    return mark


def _tag(value: object, discriminator: object) -> object:
    """Follow a discriminator: the name of a field, or several paths of which the first that leads anywhere counts."""
    paths = discriminator if isinstance(discriminator, list) else [[discriminator]]
    for path in paths:
        found = value
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


_RULES: dict[str, Callable[[Node], Node]] = {
    "int": _integer,
    "float": _finite,
    "bool": _exact,
    "date": _textual,
    "time": _textual,
    "datetime": _textual,
    "timedelta": _textual,
    "complex": _textual,
    "literal": _literal,
    "enum": _enum,
    "generator": _array,
    "lax-or-strict": _strict_branch,
    "json-or-python": _json_branch,
    "nullable": _nullable,
    "default": _default,
    "union": _union,
    "tagged-union": _tagged_union,
}
"""Kinds of schemas that read more, or less, than JSON means; all others only need their insides rewritten."""
