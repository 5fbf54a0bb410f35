"""The ways to an identity: brought along, a document of the client's own, registered here and now, asked of the person.

(2026-07-28 basic/authorization/client-registration, in its order.) What was registered is kept under its issuer and
never shown to another one. Below: `identity`, `grant`, `keys`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Final, TypeAlias

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record

from .grant import Desk, Found, refused
from .identity import Identity, dumped, loaded, method_of, read_registration, registration
from .judging import Unfit, shown
from .keys import client_key, owner_key
from .secret import Secret
from .steps import Ask, Drop, Listening, Load, NoOutcome, Obtain, Receive, Save, Steps
from .tokens import Tokens

AskForClient: TypeAlias = Callable[[str], Awaitable[tuple[str, str | None] | None]]
"""Asks the person for the client's id and secret at an issuer; None for no."""

_JSON: Final = {"content-type": "application/json", "accept": "application/json"}


class App(Record):
    """What a program says of itself.

    `client_id` and `client_secret` were given to it by the authorization server `issuer`; `metadata_url` is where its
    own document stands; `ask` is asked for an id where there is no other way; `registration` goes into registrations.
    """

    name: str
    client_id: str | None = None
    client_secret: Secret | None = None
    issuer: str | None = None
    metadata_url: str | None = None
    ask: AskForClient | None = None
    registration: JsonObject = field(default_factory=dict)


class Identities:
    """Finds identities of one program."""

    def __init__(self, app: App) -> None:
        self.app = app

    def find(self, found: Found, desk: Desk) -> Steps[tuple[Identity, str]]:
        """Return who the client is at an authorization server, and the URL to come back to. Raises `Unfit`."""
        identity = yield from self._portable(found)
        stored = None if identity else loaded((yield Load(client_key(found.metadata.issuer))))
        listening = yield Receive(stored.redirect_uris if stored else ())
        if isinstance(listening, NoOutcome):
            raise Unfit("redirect_uri", listening.reason)
        assert isinstance(listening, Listening)
        uri = listening.redirect_uri
        if identity is not None:
            return identity, uri
        if stored is not None and stored.usable(uri, desk.given.now()):
            return stored, uri
        return (yield from self._new(found, desk, uri)), uri

    def known(self, tokens: Tokens) -> Steps[Identity | None]:
        """Return the identity that tokens were given to, without asking anybody; None if it is known no more."""
        if tokens.client_id == self.app.client_id:
            return Identity(tokens.client_id, tokens.method, self.app.client_secret)
        if tokens.client_id == self.app.metadata_url:
            return Identity(tokens.client_id)
        stored = loaded((yield Load(client_key(tokens.issuer))))
        return stored if stored is not None and stored.client_id == tokens.client_id else None

    def confirmed(self, issuer: str) -> Steps[None]:
        """The identity that was brought along is good at this issuer, and from now on nowhere else."""
        if self.app.client_id is not None and self.app.issuer is None:
            yield Save(owner_key(self.app.client_id), issuer)

    def rejected(self, issuer: str) -> Steps[None]:
        """The issuer does not know the identity (any more)."""
        yield Drop(client_key(issuer))

    def _portable(self, found: Found) -> Steps[Identity | None]:
        """Return the identity that the program has whoever is asked: brought along, or its own document."""
        app, metadata = self.app, found.metadata
        if app.client_id is not None:
            owner = app.issuer or (yield Load(owner_key(app.client_id)))
            if owner is not None and owner != metadata.issuer:
                words = f"the client's id is of {shown(owner)!r}, and the server wants {shown(metadata.issuer)!r}"
                raise Unfit("authorization_servers", words)
            return Identity(app.client_id, method_of(metadata, app.client_secret is not None), app.client_secret)
        if app.metadata_url is not None and metadata.takes_metadata_documents:
            return Identity(app.metadata_url)
        return None

    def _new(self, found: Found, desk: Desk, redirect_uri: str) -> Steps[Identity]:
        """Register the client, or ask the person; either is kept."""
        metadata = found.metadata
        if metadata.registration_endpoint is None:
            identity = yield from self._asked(found, redirect_uri)
        else:
            request = registration(self.app.name, redirect_uri, metadata, self.app.registration)
            body = json.dumps(request).encode()
            ask = Ask("registration_endpoint", metadata.registration_endpoint, "POST", _JSON, body)
            answer = yield from desk.trail.ask(ask)
            document = answer.document()
            if answer.status not in (200, 201) or document is None:
                raise refused("registration", answer)
            identity = read_registration(document, request, metadata)
        yield Save(client_key(metadata.issuer), dumped(identity))
        return identity

    def _asked(self, found: Found, redirect_uri: str) -> Steps[Identity]:
        issuer, ask = found.metadata.issuer, self.app.ask
        if ask is None:
            raise Unfit("client_id", f"{shown(issuer)} registers no clients: give the client_id that it knows")
        said = yield Obtain("client_id", lambda: ask(issuer))
        if said is None or isinstance(said, NoOutcome):
            raise Unfit("client_id", "none was given")
        client_id, secret = said
        kept = Secret(secret) if secret else None
        return Identity(client_id, method_of(found.metadata, kept is not None), kept, None, (redirect_uri,))
