"""What is raised where something that came from outside does not pass, and the few questions asked of every document.

It names the parameter that was rejected, since that is what whoever has to mend it looks for. Below: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject

_LONGEST: Final = 200


class Unfit(Exception):
    """Something is not as it has to be: the `parameter`, and the reason, which says no secret.

    `error` is the code of an OAuth error where the other side answered with one; `passing` says that the same may
    succeed later.
    """

    def __init__(self, parameter: str, reason: str, *, error: str | None = None, passing: bool = False) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason
        self.error = error
        self.passing = passing


def shown(text: str) -> str:
    """Return a text of somebody else's as a line of an error may show it: short, and nothing but what prints."""
    plain = "".join(each if each.isprintable() else "?" for each in text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "..."


def text_of(document: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is a string, None if it is not there. Raises `Unfit` for anything else."""
    value = document.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Unfit(name, f"is a string, not {type(value).__name__}")


def texts_of(document: JsonObject, name: str) -> tuple[str, ...] | None:
    """Return a member that is a list of strings, None if it is not there. Raises `Unfit` for anything else."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unfit(name, "is a list of strings")
    return tuple(value)
