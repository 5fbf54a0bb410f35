"""What the metadata of a tool, a resource or a prompt may be: titles, icons, annotations and their like.

All of it is sent as it is to everybody who lists, so that one value that cannot be sent would take the whole list with
it. Loaded with the first option that is given. Below: `core.rules`, `core.soundness`, `cache_hint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from mcport.core.rules import FLAG, ICONS, JSON, SIZE, TEXT, Rule, of_kind, of_model
from mcport.core.soundness import check_annotations, check_media_type

from .cache_hint import NEVER, Scope

_ANNOTATIONS: Final = of_model("Annotations", "Annotations(priority=1)")


def _dated(name: str, value: Any) -> None:
    _ANNOTATIONS(name, value)
    check_annotations(value)


def _media_type(_: str, value: Any) -> None:
    check_media_type(value)


def _lasting(_: str, value: Any) -> None:
    NEVER.but(ttl_ms=value)


_SHARED: Final[Mapping[str, Rule]] = {
    "name": TEXT,
    "title": TEXT,
    "description": TEXT,
    "icons": ICONS,
    "meta": JSON,
}
RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "tool": {
        **_SHARED,
        "annotations": of_model("ToolAnnotations", "ToolAnnotations(read_only_hint=True)"),
        "structured": FLAG,
    },
    "resource": {
        **_SHARED,
        "annotations": _dated,
        "mime_type": _media_type,
        "size": SIZE,
        "ttl_ms": _lasting,
        "cache_scope": of_kind('"public" or "private"', str, fits=get_args(Scope).__contains__),
    },
    "prompt": _SHARED,
}
"""The rule of each option that becomes metadata, by the kind of what it is said of."""
