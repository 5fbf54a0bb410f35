"""The grant for a person at a browser: an authorization code with a proof key (OAuth 2.1, section 4.1).

(2026-07-28 basic/authorization "Authorization Flow Steps".) Below: `grant`, `identities`, `callback`, `pkce`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import urlencode, urlsplit

from .callback import Pending, code_of
from .grant import Desk, Found, request_tokens, wanted
from .identities import App, Identities
from .identity import Identity
from .judging import Unfit
from .pkce import METHOD, VERIFIER_BYTES, challenge_of, verifier_of
from .scopes import OFFLINE, Scopes, with_refreshing
from .secret import Secret
from .steps import NoOutcome, Returned, Steps, Visit
from .tokens import Tokens

STATE_BYTES: Final = 32
_UNKNOWN: Final = ("invalid_client", "unauthorized_client")


class AuthorizationCode:
    """Gets tokens by leading a person to the authorization server."""

    for_user = True

    def __init__(self, app: App) -> None:
        self._identities = Identities(app)

    @property
    def issuer(self) -> str | None:
        return self._identities.app.issuer

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        found.metadata.check_proof_keys()
        found.metadata.endpoint("token_endpoint")
        found.metadata.endpoint("authorization_endpoint")
        identity, redirect_uri = yield from self._identities.find(found, desk)
        try:
            tokens = yield from self._tokens(found, desk, identity, redirect_uri)
        except Unfit as error:
            if error.error in _UNKNOWN:
                yield from self._identities.rejected(found.metadata.issuer)
            raise
        yield from self._identities.confirmed(found.metadata.issuer)
        return tokens

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        return (yield from self._identities.known(tokens))

    def _tokens(self, found: Found, desk: Desk, identity: Identity, redirect_uri: str) -> Steps[Tokens]:
        metadata, given = found.metadata, desk.given
        scopes = with_refreshing(found.scopes, metadata.scopes_supported)
        pending = Pending(
            state=Secret(urlsafe_b64encode(given.random(STATE_BYTES)).rstrip(b"=").decode()),
            verifier=verifier_of(given.random(VERIFIER_BYTES)),
            issuer=metadata.issuer,
            says_issuer=metadata.says_issuer,
            redirect_uri=redirect_uri,
            began=given.now(),
        )
        code = yield from self._visited(found, desk, identity, pending, scopes)
        form = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier.reveal(),
        }
        return (yield from request_tokens(wanted(found, identity, desk, scopes), form, identity, desk))

    def _visited(
        self, found: Found, desk: Desk, identity: Identity, pending: Pending, scopes: Scopes | None
    ) -> Steps[Secret]:
        """Lead the person to the authorization server, and return the code that comes back."""
        page = found.metadata.endpoint("authorization_endpoint")
        asked = {"client_id": identity.client_id, "redirect_uri": pending.redirect_uri, "resource": found.resource}
        if scopes:
            asked["scope"] = " ".join(scopes)
        desk.trail.note(f"visiting {page} with {', '.join(f'{name}={value}' for name, value in asked.items())}")
        outcome = yield Visit(_with_query(page, _request(asked, pending, scopes)), pending.state.reveal())
        if isinstance(outcome, NoOutcome):
            raise Unfit("authorization", outcome.reason)
        assert isinstance(outcome, Returned)
        return code_of(outcome.query, pending, desk.given.now())


def _request(asked: dict[str, str], pending: Pending, scopes: Scopes | None) -> dict[str, str]:
    """Return the parameters of an authorization request. OpenID wants consent where access is to go on offline."""
    request = {
        "response_type": "code",
        **asked,
        "state": pending.state.reveal(),
        "code_challenge": challenge_of(pending.verifier),
        "code_challenge_method": METHOD,
    }
    return {**request, "prompt": "consent"} if OFFLINE in (scopes or ()) else request


def _with_query(page: str, request: dict[str, str]) -> str:
    """Add parameters to those that the endpoint has already (RFC 6749, section 3.1)."""
    return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(request)}"
