"""The matching of URIs against templates: which values make this URI?

RFC 6570 leaves that question open (section 1.4), and most templates have several answers to it. Here a subset is
matched, with one answer each, in time linear in the URI: no pattern is built, and nothing is tried twice.

What matches what:

- `{id}`, `{/id}`, `{.id}`: a path segment, or the part of one between literals; `{a,b}`: two such parts around a comma.
  The value is not empty, and after decoding it is still one segment: without `/`, `\\` and NUL, and not `.` or `..`.
- `?q={q}`, a parameter that is written out: text up to the next `&`, which may hold a percent-encoded `/`.
- `{+path}`, `{#part}`: one character or more, whichever they are. Only one variable of a template can be so.
- `{?a,b}`, `{&a,b}` at the end: parameters in any order. Each may be absent, none comes twice, and there are no others.

A value is percent-decoded once; what does not decode to UTF-8, or holds NUL, matches nothing. If a literal occurs more
than once, the values on the left of a `{+path}` are as short as can be, and so are those on its right; without one,
all but the last are. Hence `match` gives back what was expanded whenever no value holds the literal that bounds it.

What else may be wrong with a value (a drive, a device, a blank at its end) depends on what it is used for and is not
judged here. Who opens files by it must keep it below a root, that of `{+path}` above all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from .grammar import ASCII, OPERATORS, Expression, Part, TemplateError, triplets_are_whole

URI_BYTES: Final = 8192
"""The longest URI that is looked at, unless told otherwise."""


class UriError(ValueError):
    """The URI is too long to be looked at."""


class _Kind(Enum):
    """What a variable matches, by the characters that it does not."""

    SEGMENT = ("/", "?", "#")
    PARAMETER = ("&", "?", "#")
    SPAN = ()


@dataclass(frozen=True, slots=True)
class _Slot:
    """A variable's place."""

    name: str
    kind: _Kind


_Token: TypeAlias = str | _Slot


class Matcher:
    """A template, made ready to be matched.

    Its literals and places alternate. The first and the last literal hold on to the ends of the URI; the places in
    between are found from the left up to the one that takes the rest, and from the right down to it.
    """

    __slots__ = ("_ampersands", "_first", "_last", "_left", "_parameters", "_rest", "_right")

    def __init__(self, parts: Iterable[Part]) -> None:
        """Raises TemplateError, which does not repeat the template, if it is not in the subset."""
        parts = list(parts)
        _refuse_modifiers(parts)
        plain, queries = _without_queries(parts)
        literals, slots = _alternate(_in_place(_tokens(plain)))
        _refuse_repetition(slots, queries)
        self._parameters = frozenset(variable.name for query in queries for variable in query.variables)
        self._ampersands = _own_ampersands("\0".join(literals), queries)
        rest = _rest(slots, goes_on=self._ampersands >= 0)
        self._first = literals[0]
        self._last = literals[-1] if slots else ""
        self._rest = slots[rest] if slots else None
        self._left = tuple(zip(slots[:rest], literals[1:], strict=False)) if slots else ()
        self._right = tuple(zip(slots[rest + 1 :], literals[rest + 1 :], strict=False))[::-1]

    def match(self, uri: str, limit: int) -> dict[str, str] | None:
        """Return the values that make this URI, or None; raise UriError if it has more than `limit` bytes."""
        text = _ascii(uri, limit)
        if text is None:
            return None
        path, query = self._cut(text)
        values = self._read_path(path)
        if values is None or query is None:
            return values
        return self._read_query(query, values)

    def _cut(self, uri: str) -> tuple[str, str | None]:
        """Separate the parameters that come in any order from what stands before them."""
        if not self._parameters:
            return uri, None
        at = uri.find("?")
        for _ in range(self._ampersands + 1):
            at = uri.find("&", at + 1)
        return (uri, None) if at < 0 else (uri[:at], uri[at + 1 :])

    def _read_path(self, text: str) -> dict[str, str] | None:
        left, right = len(self._first), len(text) - len(self._last)
        if not text.startswith(self._first) or not text.endswith(self._last):
            return None
        found: list[tuple[_Slot, str]] = []
        for slot, literal in self._left:
            at = text.find(literal, left + 1, right)
            if at < 0:
                return None
            found.append((slot, text[left:at]))
            left = at + len(literal)
        for slot, literal in self._right:
            at = text.rfind(literal, left, right - 1)
            if at < 0:
                return None
            found.append((slot, text[at + len(literal) : right]))
            right = at
        if self._rest is None:
            return {} if left == right else None
        return _values([*found, (self._rest, text[left:right])])

    def _read_query(self, text: str, values: dict[str, str]) -> dict[str, str] | None:
        for pair in text.split("&"):
            name, equals, raw = pair.partition("=")
            value = _decode(raw)
            if not equals or name not in self._parameters or name in values:
                return None
            if value is None or "#" in raw:
                return None
            values[name] = value
        return values


# ---- making ready


def _refuse_modifiers(parts: Iterable[Part]) -> None:
    for part in parts:
        if isinstance(part, str):
            continue
        for variable in part.variables:
            hint = f"; a variable that spans segments is written {{+{variable.name}}}" if variable.explode else ""
            if variable.explode or variable.prefix is not None:
                raise TemplateError(f"{part.text} has a modifier{hint}")


def _without_queries(parts: list[Part]) -> tuple[list[Part], list[Expression]]:
    """Take the form-style expressions off the end."""
    queries: list[Expression] = []
    while parts and isinstance(last := parts[-1], Expression) and last.sign in ("?", "&"):
        queries.insert(0, last)
        parts.pop()
    return parts, queries


def _tokens(parts: Iterable[Part]) -> Iterator[_Token]:
    for part in parts:
        if isinstance(part, str):
            yield part
            continue
        if part.sign in (";", "?", "&"):
            raise TemplateError(f"{part.text} is not supported" + (" before the end" if part.sign != ";" else ""))
        operator = OPERATORS[part.sign]
        kind = _Kind.SPAN if operator.keeps_reserved else _Kind.SEGMENT
        for index, variable in enumerate(part.variables):
            yield operator.separator if index else operator.first
            yield _Slot(variable.name, kind)


def _in_place(tokens: Iterable[_Token]) -> Iterator[_Token]:
    """Tell the variables of a written-out query from those of the path."""
    in_query = False
    for token in tokens:
        if isinstance(token, str):
            in_query = in_query or "?" in token
        elif in_query and token.kind is _Kind.SEGMENT:
            token = _Slot(token.name, _Kind.PARAMETER)
        yield token


def _alternate(tokens: Iterable[_Token]) -> tuple[list[str], list[_Slot]]:
    """Return the literals and the places between them: one more literal than places."""
    literals = [""]
    slots: list[_Slot] = []
    for token in tokens:
        if isinstance(token, str):
            literals[-1] += token
            continue
        if slots and not literals[-1]:
            raise TemplateError(f"nothing stands between {slots[-1].name!r} and {token.name!r}")
        slots.append(token)
        literals.append("")
    return literals, slots


def _own_ampersands(literals: str, queries: list[Expression]) -> int:
    """How many `&` the template itself has in its query; -1 if the parameters begin at the first `?`."""
    _, written_out, query = literals.partition("?")
    if not queries:
        return -1
    if any(later.sign == "?" for later in queries[1:]) or (written_out and queries[0].sign == "?"):
        raise TemplateError("its query begins twice; it goes on with {&...}")
    if not written_out and queries[0].sign == "&":
        raise TemplateError("its query does not begin; it does with {?...}")
    return query.count("&") if written_out else -1


def _rest(slots: list[_Slot], *, goes_on: bool) -> int:
    """Which place takes what the others leave: the one that spans, or else the last."""
    spans = [index for index, slot in enumerate(slots) if slot.kind is _Kind.SPAN]
    if len(spans) > 1:
        raise TemplateError("only one of its variables can span segments")
    if spans and goes_on:
        raise TemplateError("a variable that spans segments cannot stand before {&...}")
    return spans[0] if spans else len(slots) - 1


def _refuse_repetition(slots: list[_Slot], queries: list[Expression]) -> None:
    names = [slot.name for slot in slots] + [variable.name for query in queries for variable in query.variables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise TemplateError(f"{twice!r} stands in it twice")


# ---- reading


def _ascii(uri: str, limit: int) -> str | None:
    """The URI in ASCII, its other characters percent-encoded; None if it holds half of a surrogate pair."""
    plain = uri.isascii()
    size = len(uri) if plain else len(uri.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise UriError(f"URI of {size} bytes: at most {limit} are allowed")
    try:
        return uri if plain else quote(uri, safe=ASCII)
    except UnicodeEncodeError:
        return None


def _values(found: list[tuple[_Slot, str]]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for slot, raw in found:
        if not raw or any(character in raw for character in slot.kind.value):
            return None
        value = _decode(raw)
        if value is None or (slot.kind is _Kind.SEGMENT and not _is_segment(value)):
            return None
        values[slot.name] = value
    return values


def _is_segment(value: str) -> bool:
    return "/" not in value and "\\" not in value and value not in (".", "..")


def _decode(raw: str) -> str | None:
    """Percent-decode once; None if that makes no text."""
    if "%" in raw:
        if not triplets_are_whole(raw):
            return None
        try:
            raw = unquote_to_bytes(raw).decode()
        except UnicodeDecodeError:
            return None
    return None if "\0" in raw else raw
