"""The expansion of RFC 6570, section 3: a template and values become a URI.

It knows the parts that the grammar yields. Every value is percent-encoded as its operator says, and so are the names
inside an exploded mapping, which the RFC would let through like literals: a name is a value here, and could otherwise
add a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import quote

from .grammar import HEX_DIGITS, OPERATORS, Expression, Operator, Part, Variable

Scalar: TypeAlias = str | int | float | bool

Value: TypeAlias = Scalar | Sequence[Scalar | None] | Mapping[str, Scalar | None] | None
"""What a variable can hold; None, an empty sequence and an empty mapping are the RFC's undefined."""

_Encode: TypeAlias = Callable[[str], str]
_Pairs: TypeAlias = list[tuple[str, str]]

_RESERVED: Final = ":/?#[]@!$&'()*+,;="


def expand(parts: Iterable[Part], variables: Mapping[str, Value]) -> str:
    """Write the URI that the parts and the values make.

    Raises:
        ValueError: a prefix was asked of a sequence or mapping, or a text holds half of a surrogate pair.
    """
    return "".join(part if isinstance(part, str) else _expression(part, variables) for part in parts)


def _expression(expression: Expression, variables: Mapping[str, Value]) -> str:
    operator = OPERATORS[expression.sign]
    expanded = [
        text
        for variable in expression.variables
        if (text := _variable(operator, variable, variables.get(variable.name))) is not None
    ]
    return operator.first + operator.separator.join(expanded) if expanded else ""


def _variable(operator: Operator, variable: Variable, value: Value) -> str | None:
    """Expand one variable; None if it is undefined."""
    encode = _keep_reserved if operator.keeps_reserved else _encode_all
    if value is None:
        return None
    if isinstance(value, str | int | float):
        text = _text(value)
        if variable.prefix is not None:
            text = _prefix(text, variable.prefix, triplets=operator.keeps_reserved)
        return _named(operator, variable.name, encode(text)) if operator.named else encode(text)
    if variable.prefix is not None:
        raise ValueError(f"URI template: a prefix of {variable.name!r} was asked for, which is not a single value")
    return _composite(operator, variable, value, encode)


def _composite(
    operator: Operator,
    variable: Variable,
    value: Sequence[Scalar | None] | Mapping[str, Scalar | None],
    encode: _Encode,
) -> str | None:
    if isinstance(value, Mapping):
        pairs = [(encode(name), encode(_text(member))) for name, member in value.items() if member is not None]
        members = [part for pair in pairs for part in pair]
    else:
        members = [encode(_text(member)) for member in value if member is not None]
        pairs = []
    if not members:
        return None
    if variable.explode:
        return operator.separator.join(_exploded(operator, variable.name, pairs, members))
    return _named(operator, variable.name, ",".join(members)) if operator.named else ",".join(members)


def _exploded(operator: Operator, name: str, pairs: _Pairs, members: list[str]) -> list[str]:
    if operator.named:
        return [_named(operator, *pair) for pair in pairs or [(name, member) for member in members]]
    return [f"{key}={member}" for key, member in pairs] if pairs else members


def _named(operator: Operator, name: str, value: str) -> str:
    return f"{name}={value}" if value else name + operator.if_empty


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_encode_all: _Encode = partial(quote, safe="")


def _keep_reserved(value: str) -> str:
    first, *rest = value.split("%")
    return quote(first, safe=_RESERVED) + "".join(
        ("%" if len(piece) >= 2 and HEX_DIGITS.issuperset(piece[:2]) else "%25") + quote(piece, safe=_RESERVED)
        for piece in rest
    )


def _prefix(text: str, count: int, *, triplets: bool) -> str:
    """Take the first characters; where triplets are kept, those that make one character are not torn apart."""
    if not triplets or "%" not in text:
        return text[:count]
    at = 0
    for _ in range(count):
        at += _width(text, at)
    return text[:at]


def _width(text: str, at: int) -> int:
    """How many characters of the text write the one that begins here: triplets as many as its UTF-8 has bytes."""
    lead = _octet(text, at)
    size = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0 or any(not 0x80 <= _octet(text, at + 3 * index) < 0xC0 for index in range(1, size)):
        return 1 if lead < 0 else 3
    return 3 * size


def _octet(text: str, at: int) -> int:
    """The value of the triplet that begins here, -1 if none does."""
    triplet = text[at : at + 3]
    if len(triplet) == 3 and triplet[0] == "%" and HEX_DIGITS.issuperset(triplet[1:]):
        return int(triplet[1:], 16)
    return -1
