"""A docstring, taken apart: what the callable is about, and what each argument means.

Reads the argument sections of Google, NumPy and Sphinx style; everything else stays text. Refuses to know callables
and schemas. Below sits nothing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import field

from mcport.record import Record

__all__ = ["Docstring", "read_docstring"]

_GOOGLE_HEADER = re.compile(r"(?:Args|Arguments|Params|Parameters|Keyword Args|Keyword Arguments|Other Parameters):\s*")
_GOOGLE_ITEM = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:(?:\s+(.*)|$)")
_NUMPY_HEADERS = frozenset({"Parameters", "Other Parameters"})
_NUMPY_ITEM = re.compile(r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?")
_SPHINX_ITEM = re.compile(r":(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")
_SPHINX_TYPE = re.compile(r":type\s+\w+\s*:")


class Docstring(Record):
    """What a docstring says.

    Attributes:
        summary: its first paragraph, on one line.
        description: the whole text without the sections that describe arguments.
        arguments: what it says about each argument, by name.
    """

    summary: str = ""
    description: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


def read_docstring(text: str) -> Docstring:
    """Take a docstring apart whose indentation was removed (`inspect.cleandoc`)."""
    lines = text.splitlines()
    arguments: dict[str, str] = {}
    kept: list[str] = []
    number = 0
    while number < len(lines):
        end, found = _section(lines, number)
        if end == number:
            kept.append(lines[number])
            end += 1
        for name, words in found:
            arguments.setdefault(name, words)
        number = end
    description = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Docstring(" ".join(description.partition("\n\n")[0].split()), description, arguments)


def _section(lines: list[str], start: int) -> tuple[int, list[tuple[str, str]]]:
    """Read the description of arguments that begins on a line: where it ends, and what it says.

    Where none begins, the end is the start.
    """
    line = lines[start]
    if _GOOGLE_HEADER.fullmatch(line):
        end = _indented_until(lines, start + 1)
        found = list(_google_items(lines[start + 1 : end]))
        return (end, found) if found else (start, [])
    if line.rstrip() in _NUMPY_HEADERS and _is_underlined(lines, start):
        end = _numpy_end(lines, start + 2)
        return end, list(_numpy_items(lines[start + 2 : end]))
    if _SPHINX_TYPE.match(line):
        return _indented_until(lines, start + 1, blanks=False), []
    if match := _SPHINX_ITEM.fullmatch(line):
        end = _indented_until(lines, start + 1, blanks=False)
        return end, [(match[1], _joined([match[2], *lines[start + 1 : end]]))]
    return start, []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _indented_until(lines: list[str], start: int, *, blanks: bool = True) -> int:
    """The first line from `start` on that is not indented; blank lines go along if `blanks`."""
    for number in range(start, len(lines)):
        if not lines[number].strip():
            if not blanks:
                return number
        elif not _indent(lines[number]):
            return number
    return len(lines)


def _is_underlined(lines: list[str], number: int) -> bool:
    below = lines[number + 1].strip() if number + 1 < len(lines) else ""
    return len(below) >= 3 and not below.strip("-=")


def _numpy_end(lines: list[str], start: int) -> int:
    """The first line from `start` on that is a header."""
    for number in range(start, len(lines)):
        if lines[number].strip() and not _indent(lines[number]) and _is_underlined(lines, number):
            return number
    return len(lines)


def _google_items(lines: list[str]) -> Iterator[tuple[str, str]]:
    indent = min((_indent(line) for line in lines if line.strip()), default=0)
    for block in _blocks(lines, indent):
        if match := _GOOGLE_ITEM.fullmatch(block[0].strip()):
            yield match[1], _joined([match[2] or "", *block[1:]])


def _numpy_items(lines: list[str]) -> Iterator[tuple[str, str]]:
    for block in _blocks(lines, 0):
        if match := _NUMPY_ITEM.fullmatch(block[0].strip()):
            for name in match[1].split(","):
                yield name.strip().lstrip("*"), _joined(block[1:])


def _blocks(lines: Iterable[str], indent: int) -> Iterator[list[str]]:
    """Group lines: each with this indentation begins a block, and what is indented more belongs to it."""
    block: list[str] = []
    for line in lines:
        if line.strip() and _indent(line) <= indent:
            if block:
                yield block
            block = []
        if block or line.strip():
            block.append(line)
    if block:
        yield block


def _joined(lines: Iterable[str]) -> str:
    """Lines as running text; blank lines keep paragraphs apart."""
    paragraphs = "\n".join(line.strip() for line in lines).strip().split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)
