"""Who the client is to an authorization server: the ways to an identity, and what an authorization server says of one.

(2026-07-28 basic/authorization/client-registration.) An identity belongs to the issuer that gave it, except for the one
that is the URL of the client's own document, which is good anywhere. Below: `metadata`, `secret`, `urls`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record

from .judging import Unfit, shown, text_of, texts_of
from .metadata import ServerMetadata
from .secret import Secret
from .urls import on_loopback

NONE: Final = "none"
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"

VERSION: Final = 1
"""Of the form in which an identity is stored."""


class Identity(Record):
    """A client as one authorization server knows it. `redirect_uris` are those that it was registered with.

    `client_id` is empty where none is needed, `method` is how it proves itself at the token endpoint; `secret_expires`
    is in seconds of the wall clock.
    """

    client_id: str
    method: str = NONE
    secret: Secret | None = None
    secret_expires: float | None = None
    redirect_uris: tuple[str, ...] = ()

    def authenticated(self, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the form of a request to the token endpoint, with what proves the client."""
        if self.secret is None or self.method == NONE:
            return {}, {**form, "client_id": self.client_id} if self.client_id else form
        if self.method == POST:
            return {}, {**form, "client_id": self.client_id, "client_secret": self.secret.reveal()}
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret.reveal())}"
        return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}, form

    def usable(self, redirect_uri: str | None, now: float) -> bool:
        """Whether a registered identity still serves, for somebody who comes back to this URL."""
        expired = self.secret_expires is not None and self.secret_expires <= now
        return not expired and (redirect_uri is None or redirect_uri in self.redirect_uris)


def identity_of(client_id: str, secret: str | None) -> Identity:
    """Return an identity that was given beforehand: with a secret it proves itself by that, in a header."""
    return Identity(client_id) if secret is None else Identity(client_id, BASIC, Secret(secret))


def method_of(metadata: ServerMetadata, secret: bool) -> str:
    """Return how a client proves itself: with its secret in a way that the server takes, without one not at all."""
    if not secret:
        return NONE
    taken = metadata.token_auth_methods
    if taken is None or BASIC in taken:
        return BASIC
    if POST in taken:
        return POST
    raise Unfit("token_endpoint_auth_methods_supported", "lists no way to prove oneself by a secret")


# ---- registration (RFC 7591)


def application_type(redirect_uri: str) -> str:
    """Return what an application is by the URL it comes back to: `native` on this machine, `web` elsewhere."""
    if urlsplit(redirect_uri).scheme in ("http", "https") and not on_loopback(redirect_uri):
        return "web"
    return "native"


def registration(name: str, redirect_uri: str, metadata: ServerMetadata, more: JsonObject) -> JsonObject:
    """Return the request that registers a client; `more` are members of the program's own.

    It names no scopes: there are servers which give none but those that were named then, and more may be needed later.
    """
    taken = metadata.token_auth_methods
    request: JsonObject = {
        "client_name": name,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": _preferred(taken),
        "application_type": application_type(redirect_uri),
    }
    return {**request, **more}


def _preferred(taken: tuple[str, ...] | None) -> str:
    """A program on somebody's machine keeps no secret, so none is asked for where the server can do without."""
    if taken is None or NONE in taken:
        return NONE
    return next((each for each in (BASIC, POST) if each in taken), NONE)


def read_registration(document: JsonObject, asked: JsonObject, metadata: ServerMetadata) -> Identity:
    """Read the answer to a registration; what it says of an issuer counts for nothing. Raises `Unfit`."""
    client_id, secret = text_of(document, "client_id"), text_of(document, "client_secret")
    if not client_id:
        raise Unfit("client_id", "the registration names none")
    said = text_of(document, "token_endpoint_auth_method")
    method = said or (NONE if NONE in (metadata.token_auth_methods or ()) else method_of(metadata, bool(secret)))
    if method not in (NONE, BASIC, POST):
        raise Unfit("token_endpoint_auth_method", f"{shown(method)!r} was not asked for")
    if method != NONE and not secret:
        raise Unfit("client_secret", f"is missing, and {method} needs it")
    uris = texts_of(document, "redirect_uris") or tuple(asked["redirect_uris"])
    return Identity(client_id, method, Secret(secret) if secret else None, _expiry(document), uris)


def _expiry(document: JsonObject) -> float | None:
    """When a secret expires; 0 says never."""
    said = document.get("client_secret_expires_at")
    if said is None or said == 0:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise Unfit("client_secret_expires_at", "is a number")
    return float(said)


# ---- as it is stored


def dumped(identity: Identity) -> str:
    """Return an identity as it is stored."""
    record: dict[str, Any] = {
        "version": VERSION,
        "client_id": identity.client_id,
        "method": identity.method,
        "secret": None if identity.secret is None else identity.secret.reveal(),
        "secret_expires": identity.secret_expires,
        "redirect_uris": list(identity.redirect_uris),
    }
    return json.dumps(record)


def loaded(text: str | None) -> Identity | None:
    """Return an identity that was stored; None where there is none, or one of a form that is not known here."""
    try:
        record = json.loads(text or "null")
        if record is None or record["version"] != VERSION:
            return None
        secret, uris = record["secret"], tuple(record["redirect_uris"])
        known = Secret(secret) if secret else None
        return Identity(record["client_id"], record["method"], known, record["secret_expires"], uris)
    except (ValueError, KeyError, TypeError):
        return None
