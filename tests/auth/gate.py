"""A protected server, and requests to it with tokens of an issuer that the tests play themselves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

from mcport import Context, Server
from mcport.auth import challenge, jose
from mcport.auth.bearer.bearer import BearerAuth
from mcport.auth.bearer.keys import FixedKeys
from mcport.auth.bearer.verifying import SignedTokens
from mcport.auth.proof import digest_of
from tests.http.bridge import Answer, ask, stateless
from tests.http.raw_session import initialize

RESOURCE = "https://mcp.example.com/mcp"
ISSUER = "https://login.example.com"
KEY = {**jose.new_key(), "kid": "one"}
PUBLIC = {**jose.public_key(KEY, "ES256"), "kid": "one"}
WELL_KNOWN = "/.well-known/oauth-protected-resource/mcp"
METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"

_numbers = itertools.count()


def gate(**options: Any) -> BearerAuth:
    """A gate for the tokens of our issuer."""
    options.setdefault("verifier", SignedTokens(ISSUER, [RESOURCE], FixedKeys([PUBLIC])))
    return BearerAuth(RESOURCE, issuer=ISSUER, **options)


def token(key: Any = KEY, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A token as our issuer makes them; a claim that is None is left out."""
    now = time.time()
    usual = {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "ada",
        "client_id": "host",
        "exp": now + 86_400,
        "scope": "notes:read",
    }
    said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jose.sign(said, key, "ES256", {"typ": "at+jwt", "kid": key.get("kid", "one"), **(header or {})})


def proof(key: Any, bearer: str, method: str = "POST", url: str = RESOURCE, **claims: Any) -> str:
    """A proof that whoever sends a token has its key."""
    usual = {"jti": str(next(_numbers)), "htm": method, "htu": url, "iat": time.time(), "ath": digest_of(bearer)}
    said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jose.sign(said, key, "ES256", {"typ": "dpop+jwt", "jwk": jose.public_key(key, "ES256")})


def notes(**options: Any) -> Server:
    """A server whose tools tell who asks, and what of a request they see."""
    server = Server("notes", auth=gate(**options))

    @server.tool
    def who(ctx: Context) -> str:
        principal = ctx.principal
        assert principal is not None
        return f"{principal.subject} by {principal.client_id} may {' '.join(sorted(principal.scopes))}"

    @server.tool
    def seen(ctx: Context) -> list[str]:
        return sorted(ctx.headers or {})

    @server.tool(scopes=["notes:write", "notes:share"])
    async def write(ctx: Context) -> str:
        await ctx.report_progress(1, 2)
        return "written"

    @server.resource("note://secret", scopes="notes:secret")
    def secret() -> str:
        return "the secret"

    @server.resource("note://{day}/private", scopes="notes:secret")
    def private(day: str) -> str:
        return day

    @server.prompt(scopes=["notes:prompt"])
    def ponder() -> str:
        return "Ponder."

    return server


class Bearing:
    """An application whose every request brings a token."""

    def __init__(self, app: Any, bearer: str | None) -> None:
        self.app = app
        self.bearer = bearer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.bearer is not None:
            field = (b"authorization", f"Bearer {self.bearer}".encode("latin-1"))
            scope = {**scope, "headers": [*scope["headers"], field]}
        await self.app(scope, receive, send)


BOTH = ["2025-11-25", "2026-07-28"]
"""The latest revision of each era."""

REVISIONS = ["2025-03-26", "2025-06-18", *BOTH]
"""Those with one endpoint, whose servers may want tokens by the rules of the specification."""


def posted(era: str, tool: str = "who") -> dict[str, Any]:
    """The arguments of `ask` for a call in a revision; where there are sessions, what opens one."""
    if era == "2026-07-28":
        return stateless("tools/call", name=tool, arguments={})
    return {"body": initialize(era), "headers": {}}


async def said(app: Any, era: str = "2026-07-28", tool: str = "who", **headers: str) -> Answer:
    request = posted(era, tool)
    request["headers"] |= headers
    async with ask(app, **request) as answer:
        answer.text = (await answer.body()).decode()  # type: ignore[attr-defined]
    return answer


def challenged(answer: Answer, scheme: str = "Bearer") -> dict[str, str]:
    found = challenge.find(challenge.read([answer.headers["www-authenticate"]]), scheme)
    assert found is not None
    return dict(found.params)
