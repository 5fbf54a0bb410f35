"""The name of a server as a resource: its canonical URI, and whether a document speaks of that server (RFC 8707, 9728).

(2026-07-28 basic/authorization "Canonical Server URI".) Below: `urls`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from .urls import origin_of


def canonical(url: str) -> str:
    """Return the canonical URI of the server at a URL: lower case where case means nothing, without query and fragment.

    The path stays as it is, since several servers may stand at one host; one that is only a slash goes.
    """
    path = urlsplit(url).path
    return origin_of(url) + ("" if path == "/" else path)


def identifies(resource: str, server: str) -> bool:
    """Whether the resource that a metadata document names is the server, given by its canonical URI.

    A resource that stands above the server on the same origin is accepted as well: servers publish one document for
    all that they have. What that document names is then what tokens are for.
    """
    if "#" in resource or "?" in resource or origin_of(resource) != origin_of(server):
        return False
    above, path = urlsplit(resource).path.rstrip("/"), urlsplit(server).path
    return path == above or path == above + "/" or path.startswith(above + "/")
