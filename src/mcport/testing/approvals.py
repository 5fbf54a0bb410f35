"""What was approved at an authorization server for development, and what redeems it: codes, and refresh tokens.

Either is good once. One that comes twice was stolen, and ends all that came of the same login (OAuth 2.1, sections
4.1.3 and 4.3.1). Below: `wire`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mcport.auth.pkce import challenge_of
from mcport.auth.secret import Secret

from .kept import Kept
from .wire import Form, Refused

CODE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Approved:
    """What was approved: by whom, for which client and resource. `key` is the one that its tokens are bound to."""

    subject: str
    client: str
    resource: str
    scope: str
    redirect_uri: str = ""
    challenge: str = ""
    until: float = 0.0
    key: str | None = None
    family: str = field(default_factory=lambda: secrets.token_hex(8))


class Approvals:
    """Codes and refresh tokens that are out. `ended` are logins of which nothing is good any more."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.ended: Kept[bool] = Kept()
        self._now = now
        self._codes: Kept[Approved] = Kept()
        self._refresh: Kept[Approved] = Kept()
        self._spent: Kept[str] = Kept()

    def code(self, approved: Approved) -> str:
        """Return a code for what was approved."""
        approved.until = self._now() + CODE_SECONDS
        self._codes[code := secrets.token_urlsafe()] = approved
        return code

    def refresh_token(self, approved: Approved) -> str:
        """Return a token that brings others later."""
        self._refresh[token := secrets.token_urlsafe()] = approved
        return token

    def redeem(self, client: str, form: Form) -> Approved:
        """Take a code, from whoever asked for it, with the verifier that nobody else has. Raises `Refused`."""
        found = self._taken(self._codes, form.get("code", ""))
        if found is None or found.client != client or found.until < self._now():
            raise Refused("invalid_grant", "no such code")
        proof = challenge_of(Secret(form.get("code_verifier", "")))
        if proof != found.challenge or form.get("redirect_uri") != found.redirect_uri:
            raise Refused("invalid_grant", "code_verifier or redirect_uri is not the one that was announced")
        return found

    def again(self, client: str, form: Form, key: str | None) -> Approved:
        """Take a refresh token, with the key that it is bound to if any. Raises `Refused`."""
        found = self._taken(self._refresh, form.get("refresh_token", ""))
        if found is None or found.client != client or found.family in self.ended:
            raise Refused("invalid_grant", "no such refresh token")
        if found.key != key:
            raise Refused("invalid_grant", "the refresh token is bound to another key")
        return found

    def revoke(self, token: str) -> None:
        """End the login that a refresh token came of; harmless for any other text."""
        if token in self._refresh:
            self.ended[self._refresh.pop(token).family] = True

    def _taken(self, kept: Kept[Approved], token: str) -> Approved | None:
        if family := self._spent.get(token):
            self.ended[family] = True
        found = kept.pop(token, None)
        if found is not None:
            self._spent[token] = found.family
        return found
