"""OAuth for a client: requests go with a token, and where a server wants another one the flow gets it.

This is the thin part that httpx sees; `flow` decides, `driver` does. Below: both, `authorization_code`, httpx.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx

from mcport.core.http.addressed import SERVER
from mcport.spec.revisions import Revision
from mcport.stores.tokens import MemoryTokens, TokenStore

from .authorization_code import AuthorizationCode
from .browser import open_browser
from .driver import Driver, Means, Patient
from .flow import Flow, Operation, Policy, Refusal, refusal_of
from .grant import Grant
from .identities import App, AskForClient
from .person import Manners, OpenUrl, ReceiveUrl
from .presenting import Presenting, presenting_of
from .resource import canonical
from .scopes import Scopes
from .secret import Secret
from .steps import Answer, Given
from .tokens import Tokens
from .urls import on_loopback

PERSON_SECONDS: Final = 300.0
"""So long a person may take to log in."""

MOST_REFUSED: Final = 64 * 1024
"""A refusal of more bytes is not read to its end: its connection is closed instead."""


class Authorized(httpx.Auth):
    """Sends requests with tokens that a grant gets; what is common to all grants.

    One object may serve several servers: each has tokens of its own, and sees no others.
    """

    def __init__(self, grant: Grant, presenting: Presenting, means: Means, policy: Policy) -> None:
        self._grant = grant
        self._presenting = presenting
        self._means = means
        self._policy = policy
        self._given = Given(time.time, secrets.token_bytes)
        self._patients: WeakSet[Patient] = WeakSet()
        self._accounts: dict[str, Account] = {}

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError(f"{type(self).__name__} works with httpx.AsyncClient only")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request as often as it takes (the port of httpx). Raises `AuthFailed`."""
        account, operation = self.account(request.extensions.get(SERVER, str(request.url))), Operation()
        tokens = await account.prepared(operation)
        while True:
            response = yield account.presented(request, tokens)
            if account.wants_again(request, response, tokens):
                response = yield account.presented(request, tokens)
            refusal = account.refusal(response)
            if refusal is None or request.method == "DELETE":  # nobody logs in to say goodbye
                return
            await _let_go(response)
            tokens = await account.renewed(refusal, tokens, operation)

    def account(self, url: str) -> Account:
        """Return what is known of the server at a URL."""
        server = canonical(url)
        if server not in self._accounts:
            flow = Flow(server, self._grant, self._presenting, self._given, self._policy)
            driver = Driver(server, self._means, self._patients)
            self._accounts[server] = Account(flow, driver, self._presenting, self._given)
        return self._accounts[server]

    @property
    def principal(self) -> str | None:
        """Who is logged in, as far as it has to be told apart from others here; None while that is not known."""
        known = [(server, account.person) for server, account in self._accounts.items() if account.person]
        return repr(known) if known else None

    def attend(self, patient: Patient) -> None:
        """Hold something, as long as it exists, whenever a person is asked."""
        self._patients.add(patient)

    def spoken(self, url: str, revision: Revision) -> None:
        """Know which revision the server at a URL speaks, or is to speak."""
        self.account(url).spoken(revision)

    async def login(self, url: str) -> Tokens:
        """Log in to the server at a URL, even if there are good tokens. Raises `AuthFailed`."""
        return await self.account(url).logged_in()

    async def status(self, url: str) -> Tokens | None:
        """Return the tokens that are kept for the server at a URL, None if there are none."""
        return await self.account(url).kept()

    async def logout(self, url: str) -> None:
        """Forget the tokens of the server at a URL."""
        await self.account(url).forgotten()


class OAuth(Authorized):
    """Logs a person in to servers that want it, by OAuth 2.1 with authorization codes.

        async with Client("https://mcp.example.com/mcp", auth=OAuth(client_name="My editor")) as client: ...

    By default it opens the browser of this machine and listens on 127.0.0.1 for its return (`port`, 0 for any).
    A host with a user interface gives `open_url`, which is called with the page, and, where the browser comes back
    elsewhere, `redirect_uri` and `receive`, which returns the URL that it came back at. A person has `timeout` seconds.

    `client_id` and `client_secret` are for programs that the authorization server `issuer` knows already; they are sent
    to no other. `client_metadata_url` is where the program's own metadata document stands. Without either the client
    registers itself where it can, under `client_name`; else `ask_client` is called with the issuer and returns an id
    and a secret (or None).

    `scopes` are wanted besides what the server asks for. `store` keeps tokens (`MemoryTokens` unless given), for each
    `profile` its own. `legacy` takes servers without metadata for such of 2025-03-26. Documents of a server lead to
    private networks only with `allow_private`. With `dpop`, a `DPoP` or True for a new key, tokens are bound to a key;
    one that is to be used after a restart needs its key again. (2026-07-28 basic/authorization.)
    """

    def __init__(
        self,
        *,
        client_name: str = "mcport",
        scopes: Sequence[str] | str = (),
        client_id: str | None = None,
        client_secret: str | None = None,
        issuer: str | None = None,
        client_metadata_url: str | None = None,
        registration: Mapping[str, Any] | None = None,
        ask_client: AskForClient | None = None,
        open_url: OpenUrl = open_browser,
        receive: ReceiveUrl | None = None,
        redirect_uri: str | None = None,
        port: int = 0,
        timeout: float = PERSON_SECONDS,
        store: TokenStore | None = None,
        profile: str = "",
        legacy: bool = False,
        allow_private: bool = False,
        dpop: Presenting | bool = False,
    ) -> None:
        _check(client_id, client_secret, issuer, client_metadata_url)
        secret = None if client_secret is None else Secret(client_secret)
        more = {**({"dpop_bound_access_tokens": True} if dpop else {}), **(registration or {})}
        app = App(client_name, client_id, secret, issuer, client_metadata_url, ask_client, more)
        manners = Manners(open_url, receive, redirect_uri, port, timeout)
        means = Means(MemoryTokens() if store is None else store, manners, allow_private)
        super().__init__(AuthorizationCode(app), presenting_of(dpop), means, Policy(profile, _scopes(scopes), legacy))


class Account:
    """The authorization of one server: its flow, and the driver of that."""

    def __init__(self, flow: Flow, driver: Driver, presenting: Presenting, given: Given) -> None:
        self._flow = flow
        self._driver = driver
        self._presenting = presenting
        self._given = given

    @property
    def person(self) -> int:
        """A number for whoever is logged in, 0 for nobody; another login may be another person's."""
        return self._flow.person if self._flow.tokens is not None else 0

    def spoken(self, revision: Revision) -> None:
        """Know which revision the server speaks."""
        self._flow.older = revision.authorizes_itself

    async def prepared(self, operation: Operation) -> Tokens | None:
        """Return the tokens at hand, None where there are none."""
        if self._flow.settled:
            return self._flow.usable
        return await self._driver.shared(lambda: self._flow.prepare(operation))

    async def renewed(self, refusal: Refusal, used: Tokens | None, operation: Operation) -> Tokens | None:
        """Return better tokens than those that were used."""
        before = self._flow.person
        tokens = await self._driver.shared(lambda: self._flow.renew(refusal, used, operation))
        if self._flow.person != before:  # whoever's request it was that led there, the person was asked
            operation.logins = max(operation.logins, 1)
        return tokens

    async def logged_in(self) -> Tokens:
        """Log in anew, whatever there is."""
        tokens, operation = await self.kept(), Operation()
        operation.refreshed = True  # the person is asked, and may want to be somebody else
        self._flow.in_vain.clear()
        renewed = await self.renewed(Refusal(401), tokens, operation)
        assert renewed is not None
        return renewed

    async def kept(self) -> Tokens | None:
        """Return what is kept, good or not."""
        return await self._driver.run(self._flow.kept())

    async def forgotten(self) -> None:
        """Forget what is kept."""
        await self._driver.run(self._flow.forget())

    def presented(self, request: httpx.Request, tokens: Tokens | None) -> httpx.Request:
        """Return the request with the tokens, made anew each time."""
        if tokens is not None:
            url = str(request.url)
            request.headers.update(self._presenting.for_server(request.method, url, tokens, self._given))
        return request

    def wants_again(self, request: httpx.Request, response: httpx.Response, tokens: Tokens | None) -> bool:
        """Whether the same request is to be sent once more, with another proof."""
        answer = Answer(response.status_code, dict(response.headers.items()))
        return self._presenting.heard(str(request.url), answer) and tokens is not None

    def refusal(self, response: httpx.Response) -> Refusal | None:
        """Return what a response wants, None if it wants no authorization."""
        challenges = response.headers.get_list("www-authenticate")
        return refusal_of(response.status_code, challenges, self._presenting.kind)


async def _let_go(response: httpx.Response) -> None:
    """Read a refusal if that is short, so that its connection can be used again; never as much as it likes to say."""
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) <= MOST_REFUSED:
        await response.aread()
        return
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()
    response.stream = httpx.ByteStream(b"")  # httpx reads it before it sends the next request


def _scopes(said: Sequence[str] | str) -> Scopes | None:
    return tuple(said.split() if isinstance(said, str) else said) or None


def _check(client_id: str | None, client_secret: str | None, issuer: str | None, metadata_url: str | None) -> None:
    """Raise ValueError for what cannot be meant together, or is no URL of a client's document."""
    if client_id is None and (client_secret is not None or issuer is not None):
        raise ValueError("client_secret= and issuer= say more of a client_id=, which is missing")
    if metadata_url is not None:
        parts = urlsplit(metadata_url)
        if parts.scheme != "https" or not parts.hostname or parts.path in ("", "/") or "#" in metadata_url:
            raise ValueError(f"client_metadata_url: {metadata_url!r} is no https URL with a path")
        if on_loopback(metadata_url):
            raise ValueError(f"client_metadata_url: {metadata_url!r} is on this machine, where nobody can read it")
