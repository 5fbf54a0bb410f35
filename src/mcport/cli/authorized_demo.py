"""`mcport demo --auth`: an authorization server, a server that wants its tokens, and a client, all on this machine.

What the two servers are asked is shown as they answer it, from the first refusal to the token. The person agrees to
everything, without a browser. Below: the client, the server, `testing`, `screen`.
"""

from __future__ import annotations

import importlib.util
import sys
import urllib.request
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import anyio
from anyio import to_thread

from mcport.auth.bearer.bearer import BearerAuth
from mcport.auth.challenge import read
from mcport.auth.client import OAuth
from mcport.client.client import Client
from mcport.server.handling.context import Context
from mcport.server.server import Server
from mcport.spec.revisions import REVISIONS
from mcport.stores.tokens import MemoryTokens
from mcport.testing import at_loopback, serving

from .screen import Screen
from .usage import UsageError

SHOWN: Final = ("scope", "error", "resource", "resource_metadata")
"""What of a request or a challenge is shown beside its path: nothing that is secret elsewhere."""


def demo(revision: str | None, wire: bool) -> None:
    """Show how a client gets in. Raises `UsageError` where something for it is missing."""
    if revision is not None and revision not in REVISIONS:
        raise UsageError(f"unknown protocol revision {revision!r}; known: {', '.join(REVISIONS)}")
    if importlib.util.find_spec("joserfc") is None:
        raise UsageError("demo --auth signs tokens, which takes: pip install 'mcport[auth]'")
    anyio.run(_Demo(Screen(sys.stdout), revision, wire).show)


class _Demo:
    def __init__(self, screen: Screen, revision: str | None, wire: bool) -> None:
        self._screen = screen
        self._options: dict[str, Any] = {"revision": revision, "trace": screen.message if wire else None}

    async def show(self) -> None:
        self._screen.title("an authorization server, a server that wants its tokens, and a client")
        async with serving(subject="ada", wrap=lambda app: _Watched(app, "authorizes", self._screen)) as authority:

            def protected(origin: str) -> _Watched:
                gate = BearerAuth(f"{origin}/mcp", issuer=authority.issuer, scopes=["notes:read"])
                return _Watched(_notes(gate).asgi(), "server", self._screen)

            async with at_loopback(protected) as origin:
                await self._conversation(f"{origin}/mcp")

    async def _conversation(self, url: str) -> None:
        login = OAuth(client_name="mcport demo", store=MemoryTokens(), open_url=self._agree)
        self._screen.line("client", f"opens {url}, and knows nothing of it")
        async with Client(url, auth=login, **self._options) as client:
            self._screen.line("client", f"is in, protocol {client.revision}")
            await self._call(client, "mine", {})
            self._screen.line("client", "wants to write, which takes more")
            await self._call(client, "write", {"text": "Hello"})
        self._screen.line("client", "comes back with the token that it kept")
        async with Client(url, auth=login, **self._options) as client:
            await self._call(client, "mine", {})

    async def _call(self, client: Client, tool: str, arguments: dict[str, object]) -> None:
        result = await client.call_tool(tool, arguments)
        self._screen.line("tools/call", f"{tool} = {result.text()}")

    async def _agree(self, page: str) -> None:
        """Be the person and the browser: agree, and come back."""
        self._screen.line("browser", f"is sent to {urlsplit(page).netloc}, and ada agrees")
        await to_thread.run_sync(_visited, page)


def _notes(gate: BearerAuth) -> Server:
    server = Server("notes", auth=gate)

    @server.tool
    async def mine(ctx: Context) -> str:
        """Read my notes."""
        assert ctx.principal is not None
        return f"notes of {ctx.principal.subject}, who may {' '.join(sorted(ctx.principal.scopes))}"

    @server.tool(scopes=["notes:write"])
    async def write(text: str) -> str:
        """Write a note."""
        return f"{text!r} is written"

    return server


def _visited(page: str) -> None:
    """Go where a page leads, past the proxies of the environment, which know nothing of this machine's ports."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page) as came:
        came.read()


class _Watched:
    """An application whose answers are shown, each in one line."""

    def __init__(self, app: Any, name: str, screen: Screen) -> None:
        self._app = app
        self._name = name
        self._screen = screen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(event: Any) -> None:
            if event["type"] == "http.response.start":
                self._screen.line(self._name, _told(scope, event))
            await send(event)

        await self._app(scope, receive, noted)


def _told(scope: Any, event: Any) -> str:
    """Return what was asked and answered: method, path and status, and what it is about."""
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    headers = [value.decode("latin-1") for name, value in event["headers"] if name == b"www-authenticate"]
    for challenge in read(headers):
        asked |= challenge.params
    about = "".join(f", {name} {asked[name]}" for name in SHOWN if asked.get(name))
    return f"{scope['method']} {scope['path']}: {event['status']}{about}"
