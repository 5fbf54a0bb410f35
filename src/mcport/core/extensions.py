"""How extensions are named and declared, for both sides: identifiers, settings, and who has declared what.

(2026-07-28 basic/versioning, "Extension Negotiation".) It does not know what an extension does. Below: `meta_keys`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mcport.core.jsonrpc import JsonObject, dump
from mcport.core.meta_keys import RESERVED_LABELS, fault_of_form

MEMBER: Final = "extensions"
"""The member of both sides' capabilities that declares extensions: identifiers and settings objects."""

CORE_RESULT_TYPES: Final = ("complete", "input_required")


def check_identifier(identifier: object) -> str:
    """Return an identifier; raises ValueError, in one line, for what cannot identify an extension."""
    if type(identifier) is not str or "/" not in identifier:
        raise ValueError(f"extension {identifier!r:.100}: an identifier has a prefix, as in 'com.example/name'")
    fault = fault_of_form(identifier)
    if fault is not None:
        raise ValueError(f"extension {identifier!r:.100}: {fault}")
    return identifier


def doubt_of(identifier: str) -> str | None:
    """Return why an identifier is a poor one, in one line, None if it is not.

    (seps/2133-extensions: the prefix of a vendor's own is a reversed domain of the vendor.)
    """
    labels = identifier.partition("/")[0].lower().split(".")
    if len(labels) > 1 and (labels[0] in _ENDS or labels[-1] not in _ENDS):
        return None
    return f"extension {identifier!r}: its prefix is no reversed domain name, as in 'com.example/name'"


_ENDS: Final = frozenset(("ai", "app", "biz", "cloud", "co", "com", "dev", "edu", "gov", "info", "io", "net", "org"))
"""Ends of many domain names: where one stands last, and none first, the domain was not reversed."""


def check_settings(identifier: str, settings: object) -> JsonObject:
    """Return settings, empty for None; raises ValueError for what is no JSON object."""
    if settings is None:
        return {}
    if type(settings) is not dict:
        raise ValueError(f"extension {identifier!r}: settings are an object, not {type(settings).__name__}")
    try:
        dump(settings)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"extension {identifier!r}: settings cannot be JSON: {error}") from None
    return settings


def check_own_key(identifier: str, key: str) -> None:
    """Raise ValueError for a `_meta` key that this extension may not define.

    It has a prefix; one that the protocol reserves is for extensions that are named under it themselves.
    """
    check_identifier(key)
    prefix = key.partition("/")[0]
    second = prefix.split(".")[1:2]
    if second and second[0] in RESERVED_LABELS and prefix != identifier.partition("/")[0]:
        raise ValueError(f"extension {identifier!r}: the prefix of the _meta key {key!r} is reserved for the protocol")


def check_result_type(identifier: str, kind: object) -> str:
    """Return a value of `resultType`; raises ValueError for one that is no text or is the protocol's."""
    if type(kind) is not str or not kind or kind in CORE_RESULT_TYPES:
        raise ValueError(f"extension {identifier!r}: {kind!r:.100} cannot be a result type of its own")
    return kind


def check_methods(identifier: str, kind: str, methods: object) -> frozenset[str]:
    """Return the methods that a result type may answer; raises ValueError for what is no collection of their names."""
    if isinstance(methods, list | tuple | set | frozenset) and all(type(method) is str for method in methods):
        return frozenset(methods)
    raise ValueError(f"extension {identifier!r}: the methods of result type {kind!r} are a list such as ['tools/call']")


def settings_in(capabilities: JsonObject, identifier: str) -> JsonObject | None:
    """Return the settings with which capabilities declare an extension, None if they do not; empty ones declare it."""
    declared = capabilities.get(MEMBER)
    settings = declared.get(identifier) if type(declared) is dict else None
    return settings if type(settings) is dict else None


def declaration(extensions: Iterable[tuple[str, JsonObject]]) -> JsonObject:
    """Return the member of capabilities that declares these extensions; empty without any."""
    declared = dict(extensions)
    return {MEMBER: declared} if declared else {}
