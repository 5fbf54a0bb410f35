"""An authorization server for development and tests: it agrees to everything that is asked for correctly.

It has what an MCP client needs and checks what one may get wrong: metadata, registration, authorization codes with
proof keys, resources, refresh tokens that are good once, keys and introspection. Nobody has to log in, and nothing
outlives the process: it is no authorization server for anybody's data. Below: `auth.jose`, the standard library.
"""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from mcport.auth.jose import new_key, public_key, sign

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

CODE_SECONDS: Final = 60.0
METADATA: Final = "/.well-known/oauth-authorization-server"
_ALGORITHM: Final = "ES256"
_JSON: Final = {"content-type": "application/json", "cache-control": "no-store"}


class Refused(Exception):
    """A request is not as it has to be; the code is that of OAuth, the text for people."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


@dataclass(slots=True)
class Registered:
    """A client. One with a secret has to show it at the token endpoint."""

    id: str
    redirect_uris: list[str]
    secret: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Approved:
    """What was approved: for which client and resource, and what redeems it."""

    client: str
    resource: str
    scope: str
    redirect_uri: str = ""
    challenge: str = ""
    until: float = 0.0
    family: str = ""


class AuthorizationServer:
    """An authorization server at the URL `issuer`, for the person `subject`; an ASGI application.

    Tokens are signed (ES256) and good for `seconds`. `clients` are registered already; `metadata` are members that the
    metadata has besides, or has not (None).
    """

    def __init__(
        self,
        issuer: str,
        *,
        subject: str = "ada",
        seconds: int = 3600,
        clients: tuple[Registered, ...] = (),
        metadata: Mapping[str, object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.clients = {each.id: each for each in clients}
        self.metadata = dict(metadata or {})
        self._subject = subject
        self._seconds = seconds
        self._now = now
        self._key = {**new_key(_ALGORITHM), "kid": secrets.token_hex(4)}
        self._codes: dict[str, Approved] = {}
        self._refresh: dict[str, Approved] = {}
        self._spent: dict[str, str] = {}
        self._given: dict[str, dict[str, Any]] = {}
        base = urlsplit(issuer).path.rstrip("/")
        self._routes: dict[tuple[str, str], Callable[[dict[str, str], Mapping[str, str]], Answer]] = {
            ("GET", METADATA + base): self._describe,
            ("GET", f"{base}/jwks"): self._show_keys,
            ("GET", f"{base}/authorize"): self._authorize,
            ("POST", f"{base}/token"): self._token,
            ("POST", f"{base}/introspect"): self._introspect,
        }
        self._register_at = f"{base}/register"

    # ---- answering

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; names of headers are in lower case."""
        parts = urlsplit(target)
        try:
            if (method, parts.path) == ("POST", self._register_at):
                return self._register(body)
            route = self._routes.get((method, parts.path))
            if route is None:
                return 404, {}, b""
            return route(_once(parts.query if method == "GET" else body.decode("utf-8", "replace")), headers)
        except Refused as error:
            return _json({"error": error.code, "error_description": str(error)}, error.status)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request of ASGI."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        target = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        status, fields, content = self.answer(scope["method"], target, headers, body)
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    # ---- documents

    def _describe(self, query: dict[str, str], headers: Mapping[str, str]) -> Answer:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "registration_endpoint": f"{self.issuer}/register",
            "introspection_endpoint": f"{self.issuer}/introspect",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return _json({name: value for name, value in document.items() if value is not None})

    def _show_keys(self, query: dict[str, str], headers: Mapping[str, str]) -> Answer:
        return _json({"keys": [public_key(self._key, _ALGORITHM)]})

    # ---- registration and authorization

    def _register(self, body: bytes) -> Answer:
        try:
            asked = json.loads(body)
            uris = [str(each) for each in asked["redirect_uris"]]
        except (ValueError, KeyError, TypeError):
            raise Refused("invalid_client_metadata", "redirect_uris is missing") from None
        secret = None if asked.get("token_endpoint_auth_method") == "none" else secrets.token_urlsafe()
        client = Registered(secrets.token_urlsafe(12), uris, secret)
        self.clients[client.id] = client
        said = {**asked, "client_id": client.id, **({"client_secret": secret} if secret else {})}
        return _json(said, 201)

    def _authorize(self, query: dict[str, str], headers: Mapping[str, str]) -> Answer:
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
            said["code"] = self._approve(client, query)
        return (
            302,
            {"location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(said)}", "cache-control": "no-store"},
            b"",
        )

    def _approve(self, client: Registered, query: dict[str, str]) -> str:
        code = secrets.token_urlsafe()
        wanted = client.id, query["resource"], query.get("scope", "")
        until = self._now() + CODE_SECONDS
        self._codes[code] = Approved(*wanted, query["redirect_uri"], query["code_challenge"], until)
        return code

    # ---- tokens

    def _token(self, form: dict[str, str], headers: Mapping[str, str]) -> Answer:
        client = self._client(form, headers)
        if form.get("grant_type") == "authorization_code":
            return self._redeem(client, form)
        if form.get("grant_type") == "refresh_token":
            return self._again(client, form)
        raise Refused("unsupported_grant_type", "only authorization_code and refresh_token")

    def _client(self, form: dict[str, str], headers: Mapping[str, str]) -> Registered:
        """Return who asks, by the method that the client was registered with."""
        shown = _basic(headers.get("authorization", ""))
        id, secret = shown or (form.get("client_id", ""), "")
        client = self.clients.get(id)
        if client is None or not secrets.compare_digest((client.secret or "").encode(), secret.encode()):
            raise Refused("invalid_client", "no such client, or not its secret", 401)
        return client

    def _redeem(self, client: Registered, form: dict[str, str]) -> Answer:
        """A code is good once, for whoever asked for it, with the verifier that nobody else has."""
        found = self._codes.pop(form.get("code", ""), None)
        if found is None or found.client != client.id or found.until < self._now():
            raise Refused("invalid_grant", "no such code")
        proof = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if proof != found.challenge or form.get("redirect_uri") != found.redirect_uri:
            raise Refused("invalid_grant", "code_verifier or redirect_uri is not the one that was announced")
        found.family = secrets.token_hex(8)
        return self._give(found, form)

    def _again(self, client: Registered, form: dict[str, str]) -> Answer:
        """A refresh token is good once; one that comes twice was stolen, and ends all that came of the same login."""
        given = form.get("refresh_token", "")
        if family := self._spent.get(given):
            self._refresh = {each: value for each, value in self._refresh.items() if value.family != family}
        found = self._refresh.pop(given, None)
        if found is None or found.client != client.id:
            raise Refused("invalid_grant", "no such refresh token")
        self._spent[given] = found.family
        return self._give(found, form)

    def _give(self, found: Approved, form: dict[str, str]) -> Answer:
        if form.get("resource") != found.resource:
            raise Refused("invalid_target", "resource is not the one that was approved")
        access, refresh = self.token(found.resource, found.scope, client=found.client), secrets.token_urlsafe()
        self._refresh[refresh] = found
        said = {"access_token": access, "token_type": "Bearer", "expires_in": self._seconds, "refresh_token": refresh}
        return _json({**said, **({"scope": found.scope} if found.scope else {})})

    def token(self, resource: str, scope: str = "", *, client: str = "test", **claims: object) -> str:
        """Return an access token for a resource without further ado; `claims` are added, or replace others."""
        now = int(self._now())
        said = {
            "iss": self.issuer,
            "sub": self._subject,
            "aud": resource,
            "client_id": client,
            "iat": now,
            "exp": now + self._seconds,
            "jti": secrets.token_hex(8),
            **({"scope": scope} if scope else {}),
            **claims,
        }
        token = sign(said, self._key, _ALGORITHM, {"typ": "at+jwt", "kid": self._key["kid"]})
        self._given[token] = said
        return token

    def _introspect(self, form: dict[str, str], headers: Mapping[str, str]) -> Answer:
        found = self._given.get(form.get("token", ""))
        if found is None or found["exp"] <= self._now():
            return _json({"active": False})
        return _json({"active": True, "token_type": "Bearer", **found})


def _once(text: str) -> dict[str, str]:
    """Read a form or a query; what comes twice is in doubt (RFC 6749, section 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("invalid_request", "a parameter comes twice")
    return found


def _basic(header: str) -> tuple[str, str] | None:
    """Read an id and a secret; None where none are shown."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(id), unquote_plus(secret)


def _json(document: object, status: int = 200) -> Answer:
    return status, dict(_JSON), json.dumps(document).encode()
