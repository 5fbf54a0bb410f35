"""What a request is about, and what it is called in logs. Below: the values of `core`."""

from __future__ import annotations

from typing import Final

from mcport.core.events import Asked
from mcport.core.jsonrpc import JsonObject

OF_RETRIES: Final = frozenset({"_meta", "inputResponses", "requestState"})
"""The parameters that are the protocol's own where a request may be retried; they differ from round to round."""


def about(method: str, params: JsonObject) -> object:
    """Return the name of the tool or prompt, or the URI of the resource, that a request is about."""
    return params.get("uri" if method == "resources/read" else "name")


def named(asked: Asked) -> str:
    """Return what a request is called in logs: its method, and what it is about."""
    what = about(asked.method, asked.params)
    return f"{asked.method} of {what!r}" if type(what) is str else asked.method
