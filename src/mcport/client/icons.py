"""Icons of a server, which are untrusted: those that are malformed or point anywhere but to `https:` or `data:` are
dropped, so that what carries them stays usable (2025-11-25 and later: basic/index, Icons).

It looks into parsed JSON, before any type is made of it, and only where icons stand. Nothing sits below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject

SAFE: Final = ("https:", "data:")
THEMES: Final = ("light", "dark")

LISTED_IN: Final = {
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "tools/call": "content",
    "tools/list": "tools",
}
"""Method -> the member of its result whose items may carry icons."""


def drop_bad_icons(method: str, result: JsonObject) -> None:
    """Take the icons that may not be used out of a result, in place."""
    for carrier in _carriers(method, result):
        if type(carrier) is dict and "icons" in carrier:
            keep_good_icons(carrier)


def keep_good_icons(carrier: JsonObject) -> None:
    """Leave an object only those of its icons that may be used, in place."""
    icons = carrier["icons"]
    good = [icon for icon in icons if _is_good(icon)] if type(icons) is list else []
    if good:
        carrier["icons"] = good
    else:
        del carrier["icons"]


def _carriers(method: str, result: JsonObject) -> Iterator[Any]:
    if method == "prompts/get":
        messages = result.get("messages")
        return (each.get("content") for each in _items(messages) if type(each) is dict)
    return iter(_items(result.get(LISTED_IN.get(method, ""))))


def _items(value: object) -> list[Any]:
    return value if type(value) is list else []


def _is_good(icon: Any) -> bool:
    if type(icon) is not dict or not _is_safe(icon.get("src")):
        return False
    sizes, theme, mime_type = icon.get("sizes"), icon.get("theme"), icon.get("mimeType")
    return (
        (sizes is None or (type(sizes) is list and all(type(size) is str for size in sizes)))
        and (theme is None or theme in THEMES)
        and (mime_type is None or type(mime_type) is str)
    )


def _is_safe(source: object) -> bool:
    """Whether a source may be loaded at all: a blank or control character would hide a scheme from who looks."""
    return type(source) is str and source.lower().startswith(SAFE) and source.isprintable() and " " not in source
