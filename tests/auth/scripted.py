"""A world for flows without any I/O: documents by their URL, a store, a clock, and a person who agrees to everything.

What a test changes in it is what the world does otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from mcport.auth.authorization_code import AuthorizationCode
from mcport.auth.flow import Flow, Operation, Policy, Refusal
from mcport.auth.identities import App
from mcport.auth.presenting import Bearer
from mcport.auth.steps import (
    Answer,
    Ask,
    Drop,
    Given,
    Listening,
    Load,
    NoOutcome,
    Obtain,
    Receive,
    Returned,
    Save,
    Step,
    Steps,
    Visit,
)
from mcport.auth.tokens import Tokens

T = TypeVar("T")

SERVER = "https://mcp.example/mcp"
ISSUER = "https://as.example"
RESOURCE_METADATA = "https://mcp.example/.well-known/oauth-protected-resource/mcp"
SERVER_METADATA = "https://as.example/.well-known/oauth-authorization-server"
CALLBACK = "http://127.0.0.1:4711/callback"

REFUSED = Refusal(401)


def answer(document: object, status: int = 200) -> Answer:
    """Return an answer with a document of JSON."""
    return Answer(status, {"content-type": "application/json"}, json.dumps(document).encode())


def resource_metadata(**members: object) -> dict[str, object]:
    """Return what the server says of itself."""
    return {"resource": SERVER, "authorization_servers": [ISSUER], **members}


def server_metadata(issuer: str = ISSUER, /, **members: Any) -> dict[str, object]:
    """Return what the authorization server says of itself; None takes a member away."""
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "registration_endpoint": f"{issuer}/register",
        "code_challenge_methods_supported": ["S256"],
        **members,
    }
    return {name: value for name, value in document.items() if value is not None}


class World:
    """Drives flows and remembers what they did."""

    def __init__(self, **app: Any) -> None:
        self.documents: dict[str, Any] = {RESOURCE_METADATA: resource_metadata(), SERVER_METADATA: server_metadata()}
        self.posts: dict[str, Callable[[dict[str, str]], Answer]] = {}
        self.store: dict[str, str] = {}
        self.asked: list[Ask] = []
        self.visited: list[dict[str, str]] = []
        self.pages: list[str] = []
        self.callback: dict[str, str | None] = {}
        self.twice = False
        self.says: object = NoOutcome("nobody is there")
        self.takes = 0.0
        self.time = 1000.0
        self.redirect_uri = CALLBACK
        self.given = Given(lambda: self.time, self._random)
        self.app = App(**{"name": "test", **app})
        self.serve(ISSUER)
        self._drawn = 0

    def serve(self, issuer: str) -> None:
        """Let an authorization server register clients and give tokens."""
        number = len(self.posts)
        self.posts[f"{issuer}/register"] = lambda form: answer({"client_id": f"client-{number}"}, 201)
        self.posts[f"{issuer}/token"] = lambda form: answer(
            {"access_token": f"token-{len(self.forms)}", "token_type": "Bearer", "expires_in": 3600}
        )

    def flow(self, server: str = SERVER, **policy: Any) -> Flow:
        return Flow(server, AuthorizationCode(self.app), Bearer(), self.given, Policy(**policy))

    def log_in(self, flow: Flow | None = None, refusal: Refusal = REFUSED, used: Tokens | None = None) -> Tokens:
        return self.run((flow or self.flow()).renew(refusal, used, Operation()))

    # ---- what was done

    @property
    def gets(self) -> list[str]:
        """The URLs of the documents that were asked for."""
        return [ask.url for ask in self.asked if ask.method == "GET"]

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was posted to token endpoints."""
        return [_form(ask.body) for ask in self.asked if ask.purpose == "token_endpoint"]

    @property
    def registered(self) -> list[dict[str, Any]]:
        return [json.loads(ask.body) for ask in self.asked if ask.purpose == "registration_endpoint"]

    # ---- driving

    def run(self, steps: Steps[T]) -> T:
        """Run a flow to its end."""
        outcome: Any = None
        try:
            while True:
                outcome = self._outcome(steps.send(outcome))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _outcome(self, step: Step) -> Any:
        match step:
            case Ask():
                self.asked.append(step)
                return self._answered(step)
            case Receive(preferred=preferred):
                return Listening(preferred[0] if self.redirect_uri in preferred else self.redirect_uri)
            case Visit(url=url):
                self.pages.append(url.partition("?")[0])
                self.visited.append(dict(parse_qsl(urlsplit(url).query)))
                return self._returned(self.visited[-1])
            case Load(key=key):
                return self.store.get(key)
            case Save(key=key, value=value):
                self.store[key] = value
            case Drop(key=key):
                self.store.pop(key, None)
            case Obtain():
                return self.says
        return None

    def _answered(self, ask: Ask) -> Answer | NoOutcome:
        if ask.method == "POST":
            return self.posts[ask.url](_form(ask.body))
        found = self.documents.get(ask.url)
        if found is None:
            return Answer(404)
        return found if isinstance(found, Answer | NoOutcome) else answer(found)

    def _returned(self, asked: dict[str, str]) -> Returned:
        self.time += self.takes
        said = {"code": "the-code", "state": asked["state"], **self.callback}
        query = urlencode({name: value for name, value in said.items() if value is not None})
        return Returned(f"{query}&code=b" if self.twice else query)

    def _random(self, size: int) -> bytes:
        self._drawn += 1
        return bytes([self._drawn]) * size


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode()))
