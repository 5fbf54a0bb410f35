"""Discovery: from a server that wants authorization to the authorization server that gives it.

(2026-07-28 basic/authorization/authorization-server-discovery; for servers of 2025-03-26 without metadata of their own
that revision's "Server Metadata Discovery".) Below: `metadata`, `steps`, `keys`.
"""

from __future__ import annotations

from typing import Final

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record, changed
from mcport.spec.revisions import REVISIONS

from .judging import Unfit, shown
from .keys import client_key
from .metadata import (
    ResourceMetadata,
    ServerMetadata,
    check_issuer,
    read_resource_metadata,
    read_server_metadata,
    resource_metadata_urls,
    server_metadata_urls,
    without_metadata,
)
from .pkce import METHOD
from .steps import Ask, Load, Steps, Trail
from .urls import origin_of

_OLDER: Final = next(each for each in REVISIONS.values() if each.authorizes_itself)
_ACCEPT: Final = {"accept": "application/json"}


class Search(Record):
    """What to look for: the authorization server of `server`, given by its canonical URI.

    `challenged` is where the server says that its metadata is. `issuer` is the only authorization server that will do,
    None for any. With `legacy` a server without metadata is taken for one of 2025-03-26.
    """

    server: str
    challenged: str | None
    issuer: str | None
    legacy: bool


def discover(search: Search, trail: Trail) -> Steps[tuple[ResourceMetadata, ServerMetadata]]:
    """Return what the server says of itself, and what its authorization server does. Raises `Unfit`."""
    urls = resource_metadata_urls(search.server, search.challenged)
    document = yield from _document("resource_metadata", urls, _ACCEPT, trail)
    if document is None:
        if not search.legacy:
            raise Unfit("resource_metadata", "the server wants authorization and publishes no metadata about it")
        metadata = yield from _older(search.server, trail)
        return ResourceMetadata(search.server, (metadata.issuer,)), metadata
    resource = read_resource_metadata(document, search.server)
    issuer = yield from _chosen(resource, search.issuer)
    check_issuer(issuer, search.server)
    document = yield from _document("issuer", server_metadata_urls(issuer), _ACCEPT, trail)
    if document is None:
        raise Unfit("issuer", f"{shown(issuer)!r} publishes no metadata")
    return resource, read_server_metadata(document, issuer, search.server)


def _document(purpose: str, urls: list[str], headers: dict[str, str], trail: Trail) -> Steps[JsonObject | None]:
    """Return the first document that is there. A server that is busy or broken is not taken for one without it."""
    for url in urls:
        answer = yield from trail.ask(Ask(purpose, url, headers=headers))
        if answer.status == 429 or answer.status >= 500:
            raise Unfit(purpose, f"{url} answered {answer.status}", passing=True)
        if answer.status == 200:
            document = answer.document()
            if document is not None:
                return document
            trail.note("  which is no JSON object")
    return None


def _chosen(resource: ResourceMetadata, only: str | None) -> Steps[str]:
    """Return the authorization server to ask: one that knows this client already, else the first."""
    listed = resource.authorization_servers
    if only is not None:
        if only not in listed:
            names = ", ".join(map(shown, listed))
            raise Unfit("authorization_servers", f"the server names {names}, and the client's id is of {only}")
        return only
    if len(listed) > 1:
        for issuer in listed:
            if (yield Load(client_key(issuer))) is not None:
                return issuer
    return listed[0]


def _older(server: str, trail: Trail) -> Steps[ServerMetadata]:
    """Look where 2025-03-26 has the authorization server: at the root of the server itself, maybe without metadata."""
    issuer = origin_of(server)
    headers = {**_ACCEPT, "mcp-protocol-version": _OLDER.name}
    document = yield from _document("issuer", server_metadata_urls(issuer)[:1], headers, trail)
    if document is None:
        trail.note(f"taking the server for one of {_OLDER.name}, with endpoints that go without saying")
        return without_metadata(server)
    if document.get("issuer") == issuer + "/":
        issuer += "/"
    metadata = read_server_metadata(document, issuer, server)
    return metadata if metadata.challenge_methods else changed(metadata, challenge_methods=(METHOD,))
