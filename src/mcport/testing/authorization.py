"""An authorization server for development and tests: it agrees to everything that is asked for correctly.

It has what MCP clients and servers need and checks what one may get wrong: metadata, registration, authorization codes
with proof keys, resources, refresh tokens that are good once, credentials and statements of programs, tokens that are
bound to keys, keys that change, introspection and revocation. Nobody has to log in, and nothing outlives the process:
it is no authorization server for anybody's data. Below: the other rooms here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from mcport.auth.assertions import BEARER_GRANT
from mcport.auth.enterprise import EXCHANGE
from mcport.auth.jose import JsonWebKey
from mcport.auth.urls import on_loopback

from .approvals import Approvals, Approved
from .clients import Clients
from .clients import Registered as Registered
from .granting import Granting
from .issuing import ALGORITHM, Issuing
from .possession import Possession
from .statements import ALGORITHMS, Statements
from .wire import Answer, Form, Headers, Refused, document, once

log: Final = logging.getLogger("mcport.testing")

METADATA: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"
MOST_BYTES: Final = 64 * 1024

_Route: TypeAlias = Callable[[Form, Headers], Answer]


class AuthorizationServer:
    """An authorization server at the URL `issuer`, for the person `subject`; an ASGI application. For development only.

    Tokens are signed (ES256) and good for `seconds`. `clients` are registered already; `metadata` are members that the
    metadata has besides, or has not (None). With `nonces` proofs of possession have to say a number of this server.
    Needs `mcport[auth]`.
    """

    def __init__(
        self,
        issuer: str,
        *,
        subject: str = "ada",
        seconds: int = 3600,
        clients: Sequence[Registered] = (),
        metadata: Mapping[str, object] | None = None,
        nonces: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        log.log(
            logging.INFO if on_loopback(issuer) else logging.WARNING,
            "%s agrees to everything and is for development only",
            issuer,
        )
        self.issuer = issuer
        self.subject = subject
        self.seconds = seconds
        self.metadata = dict(metadata or {})
        self.clients = Clients(clients, Statements([issuer, f"{issuer}/token"]), now)
        self._issuing = Issuing(issuer, now)
        self._approvals = Approvals(now)
        self._granting = Granting(self.clients, self._issuing, issuer, now)
        self._possession = Possession(f"{issuer}/token", nonces, now)
        self._routes = self._routed(urlsplit(issuer).path.rstrip("/"))

    def _routed(self, base: str) -> dict[tuple[str, str], _Route]:
        return {
            ("GET", METADATA + base): self._describe,
            ("GET", OPENID + base): self._describe,
            ("GET", base + OPENID): self._describe,
            ("GET", f"{base}/jwks"): self._show_keys,
            ("GET", f"{base}/authorize"): self._authorize,
            ("POST", f"{base}/token"): self._token,
            ("POST", f"{base}/introspect"): self._introspect,
            ("POST", f"{base}/revoke"): self._revoke,
        }

    # ---- for tests

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The public keys that are published."""
        return self._issuing.keys

    def rotate(self, *, forget: bool = False) -> None:
        """Sign with a new key from now on; with `forget` the older ones are published no more."""
        self._issuing.rotate(forget=forget)

    def renew_nonce(self) -> None:
        """Want another number in proofs of possession from now on."""
        self._possession.renew()

    def trust(self, issuer: str, keys: Sequence[JsonWebKey]) -> None:
        """Take statements of a platform or an identity provider, signed by one of its public keys."""
        self._granting.trusted[issuer] = keys

    def id_token(self, client: str, **claims: object) -> str:
        """Return an identity token of the person, for a client: what a company's program has once they logged in."""
        return self._issuing.signed("JWT", self.seconds, **{"sub": self.subject, "aud": client, **claims})

    def token(self, resource: str, scope: str = "", *, client: str = "test", **claims: object) -> str:
        """Return an access token for a resource without further ado; `claims` are added, or replace others."""
        said = {"sub": self.subject, "aud": resource, "client_id": client, "scope": scope or None, **claims}
        return self._issuing.signed("at+jwt", self.seconds, **said)

    def knows(self, token: str) -> bool:
        """Whether a token was given here, and is still good."""
        return self._issuing.claims_of(token) is not None

    def revoke(self, token: str) -> None:
        """Take a token back: whoever asks about an access token is told so, a refresh token brings no others."""
        self._issuing.revoke(token)
        self._approvals.revoke(token)

    # ---- answering

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """Answer a request; names of headers are in lower case."""
        parts = urlsplit(target)
        try:
            if (method, parts.path) == ("POST", f"{urlsplit(self.issuer).path.rstrip('/')}/register"):
                return self.clients.register(body)
            route = self._routes.get((method, parts.path))
            if route is None:
                return 404, {}, b""
            return route(once(parts.query if method == "GET" else body.decode("utf-8", "replace")), headers)
        except Refused as error:
            return error.answer()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request of ASGI."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more and len(body) <= MOST_BYTES:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        target = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        too_long = 413, {"connection": "close"}, b""
        status, fields, content = too_long if more else self.answer(scope["method"], target, headers, body)
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]
        raw.append((b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    # ---- documents

    def _describe(self, query: Form, headers: Headers) -> Answer:
        places = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in _ENDPOINTS.items()}
        said = {"issuer": self.issuer, **places, "jwks_uri": f"{self.issuer}/jwks", **_ABILITIES, **self.metadata}
        return document({name: value for name, value in said.items() if value is not None})

    def _show_keys(self, query: Form, headers: Headers) -> Answer:
        return document({"keys": self.keys})

    # ---- authorization

    def _authorize(self, query: Form, headers: Headers) -> Answer:
        """Approve at once. Nobody is sent to a URL that the client was not registered with."""
        client = self.clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") not in client.redirect_uris:
            raise Refused("invalid_request", "no such client, or not its redirect_uri")
        uri = query["redirect_uri"]
        said = {"iss": self.issuer, **({"state": query["state"]} if "state" in query else {})}
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            said["error"] = "invalid_request"
        elif not query.get("code_challenge") or not query.get("resource"):
            said["error"] = "invalid_request" if query.get("resource") else "invalid_target"
        else:
            wanted = self.subject, client.id, query["resource"], query.get("scope", "")
            said["code"] = self._approvals.code(Approved(*wanted, uri, query["code_challenge"]))
        location = f"{uri}{'&' if '?' in uri else '?'}{urlencode(said)}"
        return 302, {"location": location, "cache-control": "no-store"}, b""

    # ---- tokens

    def _token(self, form: Form, headers: Headers) -> Answer:
        key = self._possession.key_of(headers)
        match form.get("grant_type"):
            case "authorization_code":
                found = self._approvals.redeem(self.clients.asking(form, headers).id, form)
                found.key = key
                return self._given(found, form, refreshing=True)
            case "refresh_token":
                found = self._approvals.again(self.clients.asking(form, headers).id, form, key)
                return self._given(found, form, refreshing=True)
            case "client_credentials":
                found = self._granting.by_credentials(form, headers)
            case grant if grant == BEARER_GRANT:
                found = self._granting.by_statement(form, headers)
            case grant if grant == EXCHANGE:
                return self._granting.exchanged(form, headers)
            case _:
                raise Refused("unsupported_grant_type", "this grant is not known")
        found.key = key
        return self._given(found, form, refreshing=False)

    def _given(self, found: Approved, form: Form, *, refreshing: bool) -> Answer:
        if form.get("resource") != found.resource:
            raise Refused("invalid_target", "resource is not the one that was approved")
        bond = None if found.key is None else {"jkt": found.key}
        access = self.token(found.resource, found.scope, client=found.client, sub=found.subject, cnf=bond)
        kind = "Bearer" if bond is None else "DPoP"
        said: dict[str, object] = {"access_token": access, "token_type": kind, "expires_in": self.seconds}
        if refreshing:
            said["refresh_token"] = self._approvals.refresh_token(found)
        return document({**said, **({"scope": found.scope} if found.scope else {})})

    def _introspect(self, form: Form, headers: Headers) -> Answer:
        """Tell a client that proves itself about a token (RFC 7662)."""
        self.clients.proven(form, headers)
        found = self._issuing.claims_of(form.get("token", ""))
        kind = "DPoP" if found and "cnf" in found else "Bearer"
        return document({"active": False} if found is None else {"active": True, "token_type": kind, **found})

    def _revoke(self, form: Form, headers: Headers) -> Answer:
        """Take a token back (RFC 7009)."""
        self.clients.asking(form, headers)
        self.revoke(form.get("token", ""))
        return 200, {}, b""


_ENDPOINTS: Final = {
    "authorization": "authorize",
    "token": "token",
    "registration": "register",
    "introspection": "introspect",
    "revocation": "revoke",
}
_ABILITIES: Final = {
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", BEARER_GRANT, EXCHANGE],
    "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": [*ALGORITHMS],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
    "dpop_signing_alg_values_supported": [*ALGORITHMS],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": [ALGORITHM],
}
"""What the metadata says besides where things are; the last two are OpenID's."""
