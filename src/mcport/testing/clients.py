"""The clients of an authorization server for development: how they come to be known, and how they prove who they are.

(RFC 7591, RFC 6749 2.3, RFC 7523 2.2.) Below: `statements`, `wire`.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mcport.auth.assertions import CLIENT_KIND
from mcport.auth.jose import JsonWebKey

from .kept import Kept
from .statements import Statements
from .wire import Answer, Form, Headers, Refused, basic, document


@dataclass(slots=True)
class Registered:
    """A client. One with a secret, or a public `key`, has to prove itself by that at the token endpoint."""

    id: str
    redirect_uris: list[str] = field(default_factory=list)
    secret: str | None = field(default=None, repr=False)
    key: JsonWebKey | None = None

    @property
    def confidential(self) -> bool:
        """Whether nobody else can ask in its name."""
        return self.secret is not None or self.key is not None


class Clients(Kept[Registered]):
    """Those that are known, by their ids."""

    def __init__(self, known: Sequence[Registered], statements: Statements, now: Callable[[], float]) -> None:
        super().__init__({each.id: each for each in known})
        self._statements = statements
        self._now = now

    def register(self, body: bytes) -> Answer:
        """Take in a client that nobody knows, and tell it its id."""
        try:
            asked = json.loads(body)
            uris = [str(each) for each in asked["redirect_uris"]]
        except (ValueError, KeyError, TypeError):
            raise Refused("invalid_client_metadata", "redirect_uris is missing") from None
        secret = None if asked.get("token_endpoint_auth_method") == "none" else secrets.token_urlsafe()
        id = secrets.token_urlsafe(12)
        self[id] = Registered(id, uris, secret)
        return document({**asked, "client_id": id, **({"client_secret": secret} if secret else {})}, 201)

    def asking(self, form: Form, headers: Headers) -> Registered:
        """Return who asks, by the method that the client was registered with. Raises `Refused`."""
        if form.get("client_assertion_type") == CLIENT_KIND:
            return self._stated(form.get("client_assertion", ""), form)
        shown = basic(headers.get("authorization", ""))
        id, secret = shown or (form.get("client_id", ""), "")
        client = self.get(id)
        if client is None or client.key or not secrets.compare_digest((client.secret or "").encode(), secret.encode()):
            raise Refused("invalid_client", "no such client, or not its secret", 401)
        return client

    def proven(self, form: Form, headers: Headers) -> Registered:
        """Return who asks, if nobody else can be it. Raises `Refused`."""
        client = self.asking(form, headers)
        if not client.confidential:
            raise Refused("unauthorized_client", "this is for clients that prove who they are")
        return client

    def _stated(self, assertion: str, form: Form) -> Registered:
        """Return the client that signed a statement about itself."""
        id = form.get("client_id") or _subject(assertion)
        client = self.get(id)
        if client is None or client.key is None:
            raise Refused("invalid_client", "no such client, or none with a key", 401)
        signed = self._statements.read(assertion, [client.key], self._now(), "invalid_client")
        if not signed.claims.get("iss") == signed.claims.get("sub") == client.id:
            raise Refused("invalid_client", "the statement is of another client", 401)
        self._statements.use_up(signed, "invalid_client")
        return client


def _subject(assertion: str) -> str:
    """Return whom a statement is about, before anything of it is believed: only to know whose key has to fit."""
    try:
        claims = json.loads(urlsafe_b64decode(assertion.split(".")[1] + "=="))
        return str(claims["sub"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
