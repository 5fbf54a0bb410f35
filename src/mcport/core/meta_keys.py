"""Which keys an application may use in `_meta`, in which revision.

(2025-06-18 and later: basic/index "_meta"; the two older revisions leave the keys open.) A key is a name, or a prefix
of labels and a name. It does not know where the metadata stands. Below: the revisions, `trace_context`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Final

from mcport.spec.revisions import Revision

from .trace_context import FORMS

RESERVED_LABELS: Final = ("mcp", "modelcontextprotocol")
PROTOCOL_PREFIX: Final = "io.modelcontextprotocol/"
"""Keys under it are the protocol's own: whoever sends a message gives them anew."""
PROGRESS_TOKEN: Final = "progressToken"

_LABEL: Final = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?")
_NAME: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")


def check_meta(
    meta: Mapping[str, object], revisions: Iterable[Revision], defined: Container[str] = frozenset()
) -> None:
    """Raise ValueError, in one line, for metadata of an application that may not be sent in one of the revisions.

    `defined` are keys that extensions have defined, which may stand under a reserved prefix.
    """
    if not isinstance(meta, Mapping):
        raise ValueError(f"_meta must be an object, not {type(meta).__name__}")
    for revision in revisions:
        for key, value in meta.items():
            fault = fault_of(key, value, revision)
            if fault is not None and key not in defined:
                raise ValueError(f"_meta key {key!r:.100}: {fault} (protocol version {revision.name})")


def fault_of(key: object, value: object, revision: Revision) -> str | None:
    """Return what is wrong with an application's key and its value in a revision, None if nothing is."""
    if type(key) is not str:
        return "a key is a string"
    if key == PROGRESS_TOKEN:
        return "progress tokens are given by mcport"
    if not revision.has_titles:
        return None
    if revision.era == "stateless" and key in FORMS:
        return _fault_of_trace(key, value)
    return _fault_of_reserved(key, revision) or fault_of_form(key)


def fault_of_form(key: str) -> str | None:
    """Return what is wrong with the form of a key, whoever defines it."""
    prefix, slash, name = key.partition("/")
    if slash and any(_LABEL.fullmatch(label) is None for label in prefix.split(".")):
        return "a prefix is labels joined by dots, each of letters, digits and inner hyphens, with a letter first"
    if _NAME.fullmatch(name if slash else key) is None:
        return "a name begins and ends with a letter or digit, and has only letters, digits, '-', '_' and '.' inside"
    return None


def _fault_of_reserved(key: str, revision: Revision) -> str | None:
    prefix, slash, _ = key.partition("/")
    labels = prefix.split(".") if slash else []
    decisive = labels[1:2] if revision.reserves_meta_by_second_label else labels[-2:-1]
    if decisive and decisive[0] in RESERVED_LABELS:
        return f"the prefix is reserved for the protocol, because of {decisive[0]!r}"
    return None


def _fault_of_trace(key: str, value: object) -> str | None:
    if type(value) is str and FORMS[key](value):
        return None
    return f"the value has not the form of a W3C {key}"
