"""What a server publishes of its authorization: the protected resource metadata (RFC 9728), from its settings alone.

No name comes from a request, because whoever sends one could then say where tokens are to be got. Below: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def path_of(resource: str) -> str:
    """Return the path of the document of a resource at its origin (RFC 9728 3.1)."""
    path = urlsplit(resource).path
    return WELL_KNOWN + ("" if path == "/" else path)


def url_of(resource: str) -> str:
    """Return where the document of a resource is published."""
    parts = urlsplit(resource)
    return urlunsplit((parts.scheme, parts.netloc, path_of(resource), "", ""))


def document(resource: str, issuers: Sequence[str], scopes: Sequence[str], **further: object) -> dict[str, Any]:
    """Return the document; what else there is to say of the resource is left out where it is empty."""
    said = {
        "resource": resource,
        "authorization_servers": [*issuers],
        "scopes_supported": [*scopes],
        "bearer_methods_supported": ["header"],
        **further,
    }
    return {name: value for name, value in said.items() if value}
