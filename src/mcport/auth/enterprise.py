"""The grant of a company whose people have one login for everything: its identity provider says who may use what.

The program has logged its user in there and has an identity token. The provider exchanges that for an assertion to one
authorization server (ID-JAG), which gives an access token for it. (Extension
`io.modelcontextprotocol/enterprise-managed-authorization`; RFC 8693, RFC 7523.) Below: `grant`, `identity`, `jose`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from mcport.record import Record

from .assertions import BEARER_GRANT, Source, brought
from .grant import Desk, Found, refused, request_tokens, scope_of, wanted
from .identity import Identity, identity_of
from .judging import Unfit, text_of
from .secret import Secret
from .steps import FORM, Answer, Ask, Steps
from .tokens import Tokens, seconds_of
from .urls import judged

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ASSERTION: Final = "urn:ietf:params:oauth:token-type:id-jag"
IDENTITY: Final = "urn:ietf:params:oauth:token-type:id_token"

SPARE_SECONDS: Final = 30.0
"""An assertion that is over so soon is not used again."""


class IdentityProvider:
    """Where a company's people log in: its token endpoint, this program's client id there, and its secret if any."""

    def __init__(self, token_endpoint: str, client_id: str, client_secret: str | None = None) -> None:
        self.token_endpoint = token_endpoint
        self._identity = identity_of(client_id, client_secret)

    def asked(self, form: dict[str, str]) -> Ask:
        """Return the request that asks its token endpoint."""
        proof, form = self._identity.authenticated(form)
        body = urlencode(form).encode()
        return Ask("identity provider", self.token_endpoint, "POST", {**FORM, **proof}, body)


class _Assertion(Record):
    """What the provider gave, for what, and until when it is good."""

    purpose: tuple[str, ...]
    text: Secret
    expires: float


class EnterpriseManaged:
    """Gets tokens by the word of an identity provider.

    `issuer` is the authorization server that the company trusts (None: any that a server names), `client_id` and
    `client_secret` what this program is there. `id_token` returns the identity token of whoever uses the program; it
    goes to the provider alone.
    """

    for_user = True

    def __init__(
        self,
        issuer: str | None,
        client_id: str,
        client_secret: str | None,
        provider: IdentityProvider,
        id_token: Source,
    ) -> None:
        self.issuer = issuer
        self._identity = identity_of(client_id, client_secret)
        self._provider = provider
        self._id_token = id_token
        self._assertion: _Assertion | None = None

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        """Get new tokens; an assertion that the authorization server does not take any more is got anew, once."""
        kept = self._kept(found, desk)
        if kept is not None:
            try:
                return (yield from self._granted(kept, found, desk))
            except Unfit as error:
                if error.error != "invalid_grant":
                    raise
        return (yield from self._granted((yield from self._exchanged(found, desk)), found, desk))

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        yield from ()
        return self._identity if tokens.client_id == self._identity.client_id else None

    def _granted(self, assertion: Secret, found: Found, desk: Desk) -> Steps[Tokens]:
        form = {"grant_type": BEARER_GRANT, "assertion": assertion.reveal(), **scope_of(found)}
        return (yield from request_tokens(wanted(found, self._identity, desk), form, self._identity, desk))

    def _kept(self, found: Found, desk: Desk) -> Secret | None:
        known = self._assertion
        if known is None or known.purpose != _purpose(found) or known.expires <= desk.given.now() + SPARE_SECONDS:
            return None
        return known.text

    def _exchanged(self, found: Found, desk: Desk) -> Steps[Secret]:
        """Have the provider exchange an identity token for an assertion."""
        subject = yield from brought("subject_token", "the identity token", self._id_token)
        form = {
            "grant_type": EXCHANGE,
            "requested_token_type": ASSERTION,
            "audience": found.metadata.issuer,
            "resource": found.resource,
            "subject_token": subject,
            "subject_token_type": IDENTITY,
            **scope_of(found),
        }
        judged("token_endpoint", self._provider.token_endpoint, found.server)
        desk.trail.note("asking the identity provider for an assertion")
        answer = yield from desk.trail.ask(self._provider.asked(form))
        self._assertion = _read(answer, found, desk.given.now())
        return self._assertion.text


def _read(answer: Answer, found: Found, now: float) -> _Assertion:
    """Read what a provider gives (RFC 8693 2.2). Raises `Unfit`."""
    document = answer.document()
    if answer.status != 200 or document is None:
        raise refused("identity provider", answer)
    text, kind = text_of(document, "access_token"), text_of(document, "issued_token_type")
    if not text or kind != ASSERTION or (text_of(document, "token_type") or "").lower() != "n_a":
        raise Unfit("issued_token_type", "the identity provider gave something else than an ID-JAG")
    return _Assertion(_purpose(found), Secret(text), now + (seconds_of(document.get("expires_in")) or 0))


def _purpose(found: Found) -> tuple[str, ...]:
    return (found.metadata.issuer, found.resource, *(found.scopes or ()))
