"""The grammar of RFC 6570: the text of a template, taken apart.

It knows what a template is written like (section 2) and how much of it is too much; what its parts are good for is not
its business. The text is read once, from left to right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

TEMPLATE_BYTES: Final = 2048
"""The longest template."""

VARIABLES: Final = 32
"""The most variables in a template, each mention counted."""

ASCII: Final = "".join(map(chr, range(128)))
HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")

_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_NEVER_LITERAL: Final = frozenset('"<>\\^`{|}')  # section 2.1; an erratum lets the apostrophe in
_LONGEST_PREFIX: Final = 9999


class TemplateError(ValueError):
    """The text is no URI template, or not one that can be used in this way."""


@dataclass(frozen=True, slots=True)
class Operator:
    """How the variables of an expression are joined (RFC 6570, appendix A).

    Attributes:
        first: what the expression begins with, if any of its variables has a value.
        separator: what stands between its variables.
        named: whether each value comes with its name.
        if_empty: what follows the name of an empty value.
        keeps_reserved: whether reserved characters and triplets are left as they are.
    """

    first: str
    separator: str
    named: bool = False
    if_empty: str = ""
    keeps_reserved: bool = False


OPERATORS: Final = {
    "": Operator("", ","),
    "+": Operator("", ",", keeps_reserved=True),
    "#": Operator("#", ",", keeps_reserved=True),
    ".": Operator(".", "."),
    "/": Operator("/", "/"),
    ";": Operator(";", ";", named=True),
    "?": Operator("?", "&", named=True, if_empty="="),
    "&": Operator("&", "&", named=True, if_empty="="),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with its modifier: `*`, or how many characters of the value to take."""

    name: str
    explode: bool = False
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between braces: `text` is how it was written, `sign` the key of its operator."""

    text: str
    sign: str
    variables: tuple[Variable, ...]


Part: TypeAlias = str | Expression
"""A literal, in the form that it has in a URI, or an expression."""


def parse(text: str) -> tuple[Part, ...]:
    """Take a template apart.

    Raises:
        TemplateError: it breaks the grammar, is longer than `TEMPLATE_BYTES` or has more than `VARIABLES` variables.
    """
    if (size := len(text.encode("utf-8", "surrogatepass"))) > TEMPLATE_BYTES:
        raise TemplateError(f"URI template of {size} bytes: at most {TEMPLATE_BYTES} are allowed")
    parts: list[Part] = []
    at = 0
    while at < len(text):
        opening = text.find("{", at)
        if opening != at:
            end = opening if opening > 0 else len(text)
            parts.append(_literal(text, text[at:end]))
            at = end
            continue
        closing = text.find("}", at)
        if closing < 0:
            raise TemplateError(f"URI template {text!r}: the brace at position {at} is never closed")
        parts.append(_expression(text, text[at + 1 : closing]))
        at = closing + 1
    count = sum(len(part.variables) for part in parts if isinstance(part, Expression))
    if count > VARIABLES:
        raise TemplateError(f"URI template with {count} variables: at most {VARIABLES} are allowed")
    return tuple(parts)


def triplets_are_whole(text: str) -> bool:
    """Say whether two hexadecimal digits follow every `%`."""
    return all(len(piece) >= 2 and HEX_DIGITS.issuperset(piece[:2]) for piece in text.split("%")[1:])


def _literal(template: str, text: str) -> str:
    for character in text:
        if character in _NEVER_LITERAL or character <= " " or "\x7f" <= character <= "\x9f":
            raise TemplateError(
                f"URI template {template!r}: {character!r} cannot stand there; write it percent-encoded"
            )
    if not triplets_are_whole(text):
        raise TemplateError(f"URI template {template!r}: two hexadecimal digits must follow '%'")
    try:
        return quote(text, safe=ASCII)
    except UnicodeEncodeError:
        raise TemplateError(f"URI template {template!r}: half of a surrogate pair cannot stand in a URI") from None


def _expression(template: str, text: str) -> Expression:
    sign = text[:1] if text[:1] in OPERATORS else ""
    names = text[len(sign) :]
    if not names:
        raise TemplateError(f"URI template {template!r}: {{{text}}} names no variable")
    return Expression(f"{{{text}}}", sign, tuple(_variable(template, name) for name in names.split(",")))


def _variable(template: str, text: str) -> Variable:
    name, colon, digits = text.partition(":")
    explode = not colon and name.endswith("*")
    name = name[:-1] if explode else name
    if not all(map(_is_name, name.split("."))):
        raise TemplateError(f"URI template {template!r}: {text!r} is no variable (letters, digits, '_' and '.')")
    if not colon:
        return Variable(name, explode)
    if not (digits.isascii() and digits.isdigit() and digits[0] != "0" and int(digits) <= _LONGEST_PREFIX):
        raise TemplateError(f"URI template {template!r}: {text!r} asks for no length from 1 to {_LONGEST_PREFIX}")
    return Variable(name, prefix=int(digits))


def _is_name(text: str) -> bool:
    return bool(text) and triplets_are_whole(text) and _NAME.issuperset(text.replace("%", ""))
