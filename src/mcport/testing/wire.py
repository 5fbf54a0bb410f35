"""Requests to an authorization server for development as its rooms see them, and what they answer.

Below: the standard library.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote_plus

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

Form: TypeAlias = Mapping[str, str]
Headers: TypeAlias = Mapping[str, str]
"""Headers by their names in lower case."""

_JSON: Final = {"content-type": "application/json", "cache-control": "no-store"}


class Refused(Exception):
    """A request is not as it has to be; the code is that of OAuth, the text for people."""

    def __init__(self, code: str, text: str, status: int = 400, headers: Headers | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.headers = headers or {}

    def answer(self) -> Answer:
        """Return what whoever asked is told."""
        status, headers, body = document({"error": self.code, "error_description": str(self)}, self.status)
        return status, {**headers, **self.headers}, body


def document(members: object, status: int = 200) -> Answer:
    """Return an answer that brings JSON."""
    return status, dict(_JSON), json.dumps(members).encode()


def once(text: str) -> dict[str, str]:
    """Read a form or a query; what comes twice is in doubt (RFC 6749, section 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("invalid_request", "a parameter comes twice")
    return found


def basic(header: str) -> tuple[str, str] | None:
    """Read an id and a secret; None where none are shown."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(id), unquote_plus(secret)
