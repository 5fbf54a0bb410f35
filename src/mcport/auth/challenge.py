"""Challenges: what a server says in `WWW-Authenticate` (RFC 9110, section 11), read and written.

A header may hold several challenges and come several times; a comma may separate challenges as well as parameters, and
stand within a quoted string. Values that should have been quoted, which servers do to URLs, are read all the same. What
cannot be read ends its header, and what stood before it counts. Nothing here knows what a scheme or a parameter means.
Below: nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from mcport.record import Record

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PLAIN: Final = r'[^\x00-\x20\x7f",\\]++'
_END: Final = r"[ \t]*+(?=,|\Z)"
_QUOTED: Final = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e\x80-\xff])*+)"'

_BETWEEN: Final = re.compile(r"[ \t,]*+")
_SCHEME: Final = re.compile(rf"({_TOKEN})(?:(?=[ \t])|{_END})")
_TOKEN68: Final = re.compile(rf"[ \t]++([A-Za-z0-9._~+/-]++=*+){_END}")
_PARAMETER: Final = re.compile(rf"[ \t,]*+({_TOKEN})[ \t]*+=[ \t]*+(?:({_PLAIN})|{_QUOTED}){_END}")
_ESCAPED: Final = re.compile(r"\\(.)")

_A_TOKEN: Final = re.compile(_TOKEN)
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


class Challenge(Record):
    """One challenge: its scheme and the names of its parameters in lower case, or the one token that it has instead."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


def read(headers: Iterable[str]) -> list[Challenge]:
    """Return the challenges of all the `WWW-Authenticate` headers of an answer, in their order.

    Of a parameter that comes twice, the first counts.
    """
    return [challenge for header in headers for challenge in _challenges(header)]


def find(challenges: Iterable[Challenge], scheme: str) -> Challenge | None:
    """Return the first challenge with a scheme, whatever its case; None if there is none."""
    wanted = scheme.lower()
    return next((each for each in challenges if each.scheme == wanted), None)


def write(scheme: str, params: Mapping[str, str]) -> str:
    """Return a challenge as the value of a header.

    Every value is quoted. Raises ValueError for a name that is no token, and for a value with characters other than
    printable ASCII, which could end the header or be read as something else.
    """
    for name in (scheme, *params):
        if _A_TOKEN.fullmatch(name) is None:
            raise ValueError(f"{name!r:.80} is no name that a challenge can have")
    written = ", ".join(f"{name}={_quoted(name, value)}" for name, value in params.items())
    return f"{scheme} {written}" if written else scheme


def _challenges(header: str) -> list[Challenge]:
    found, at = [], _after(_BETWEEN, header, 0)
    while (scheme := _SCHEME.match(header, at)) is not None:
        challenge, at = _challenge(scheme[1].lower(), header, scheme.end())
        found.append(challenge)
        at = _after(_BETWEEN, header, at)
    return found


def _challenge(scheme: str, header: str, at: int) -> tuple[Challenge, int]:
    """Read what follows a scheme; return the challenge and where it ends."""
    if (token := _TOKEN68.match(header, at)) is not None:
        return Challenge(scheme, token=token[1]), token.end()
    params: dict[str, str] = {}
    while (parameter := _PARAMETER.match(header, at)) is not None:
        name, plain, quoted = parameter.groups()
        params.setdefault(name.lower(), plain if quoted is None else _ESCAPED.sub(r"\1", quoted))
        at = parameter.end()
    return Challenge(scheme, params), at


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _quoted(name: str, value: str) -> str:
    if _PRINTABLE.fullmatch(value) is None:
        raise ValueError(f"{name}: a challenge can only carry printable ASCII")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
