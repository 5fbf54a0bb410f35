"""The two documents of discovery: where they may stand, and what of them is believed.

A document of the server names its authorization servers (RFC 9728), one of the authorization server its endpoints
(RFC 8414, OpenID Connect Discovery). Strings stay as they came: an issuer is compared character by character.
(2026-07-28 basic/authorization/authorization-server-discovery.) Below: `urls`, `resource`, `judging`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final
from urllib.parse import urlsplit

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record

from .judging import Unfit, shown, text_of, texts_of
from .pkce import METHOD
from .resource import identifies
from .scopes import Scopes
from .urls import judged, origin_of

_RESOURCE: Final = "/.well-known/oauth-protected-resource"
_OAUTH: Final = "/.well-known/oauth-authorization-server"
_OPENID: Final = "/.well-known/openid-configuration"


class ResourceMetadata(Record):
    """What a protected server says of itself. `resource` is what tokens for it are asked for."""

    resource: str
    authorization_servers: tuple[str, ...]
    scopes_supported: Scopes | None = None


class ServerMetadata(Record):
    """What an authorization server says of itself; None stands for what it does not say.

    `document` is all of it, for grants that need more.
    """

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    registration_endpoint: str | None = None
    scopes_supported: Scopes | None = None
    token_auth_methods: tuple[str, ...] | None = None
    challenge_methods: tuple[str, ...] | None = None
    takes_metadata_documents: bool = False
    says_issuer: bool = False
    document: JsonObject = field(default_factory=dict)

    def endpoint(self, name: str) -> str:
        """Return an endpoint that is needed; raises `Unfit` where there is none."""
        url: str | None = getattr(self, name)
        if url is None:
            raise Unfit(name, f"the metadata of {shown(self.issuer)} does not name one")
        return url

    def check_proof_keys(self) -> None:
        """Raise `Unfit` unless the server takes proof keys as they are made here ("Authorization Code Protection")."""
        if METHOD not in (self.challenge_methods or ()):
            said = "is missing" if self.challenge_methods is None else f"does not list {METHOD}"
            raise Unfit("code_challenge_methods_supported", f"{said}, so that codes would not be protected (PKCE)")


def resource_metadata_urls(server: str, challenged: str | None) -> list[str]:
    """Return where the metadata of a server may be, in the order to look: what the challenge says comes first."""
    path = urlsplit(server).path
    root = origin_of(server) + _RESOURCE
    found = [root + path, root] if path not in ("", "/") else [root]
    return found if challenged is None else list(dict.fromkeys([challenged, *found]))


def server_metadata_urls(issuer: str) -> list[str]:
    """Return where the metadata of an issuer may be, in the order to look. Those of a path never stand at the root."""
    origin, path = origin_of(issuer), urlsplit(issuer).path.rstrip("/")
    if not path:
        return [origin + _OAUTH, origin + _OPENID]
    return [origin + _OAUTH + path, origin + _OPENID + path, origin + path + _OPENID]


def read_resource_metadata(document: JsonObject, server: str) -> ResourceMetadata:
    """Read the metadata of a server, given by its canonical URI. Raises `Unfit` where it is none of that server."""
    resource = text_of(document, "resource")
    if resource is None or not identifies(resource, server):
        raise Unfit("resource", f"the metadata is of {shown(str(resource))!r}, not of {server!r}")
    issuers = texts_of(document, "authorization_servers")
    if not issuers:
        raise Unfit("authorization_servers", "the metadata names none")
    return ResourceMetadata(resource, issuers, texts_of(document, "scopes_supported"))


def check_issuer(issuer: str, near: str) -> None:
    """Raise `Unfit` for what cannot be an issuer beside the server `near` (RFC 8414, section 2)."""
    if judged("authorization_servers", issuer, near).query or "?" in issuer:
        raise Unfit("authorization_servers", f"{shown(issuer)!r} has a query, which no issuer has")


def read_server_metadata(document: JsonObject, issuer: str, near: str) -> ServerMetadata:
    """Read the metadata that was looked up for an issuer, on the way to the server `near`.

    Raises `Unfit` where it is another issuer's, and for endpoints that nobody should be sent to.
    """
    said = text_of(document, "issuer")
    if said != issuer:
        raise Unfit("issuer", f"the metadata that was looked up for {shown(issuer)!r} is of {shown(str(said))!r}")
    return ServerMetadata(
        issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", near),
        token_endpoint=_endpoint(document, "token_endpoint", near),
        registration_endpoint=_endpoint(document, "registration_endpoint", near),
        scopes_supported=texts_of(document, "scopes_supported"),
        token_auth_methods=texts_of(document, "token_endpoint_auth_methods_supported"),
        challenge_methods=texts_of(document, "code_challenge_methods_supported"),
        takes_metadata_documents=document.get("client_id_metadata_document_supported") is True,
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        document=document,
    )


def without_metadata(server: str) -> ServerMetadata:
    """Return what holds at a server of 2025-03-26 that publishes no metadata ("Fallbacks for Servers without")."""
    base = origin_of(server)
    return ServerMetadata(
        base,
        authorization_endpoint=base + "/authorize",
        token_endpoint=base + "/token",
        registration_endpoint=base + "/register",
        challenge_methods=(METHOD,),
    )


def _endpoint(document: JsonObject, name: str, near: str) -> str | None:
    url = text_of(document, name)
    if url is not None:
        judged(name, url, near)
    return url
