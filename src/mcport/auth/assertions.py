"""Statements that prove something to an authorization server (RFC 7523): made here, or brought by somebody else.

Below: `jose`, `steps`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from . import jose
from .judging import Unfit
from .steps import Given, NoOutcome, Obtain, Steps

Source: TypeAlias = Callable[[], Awaitable[str]]
"""Returns what somebody else states; called each time that it is needed, as such statements do not last."""

BEARER_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_KIND: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LIFE_SECONDS: Final = 300
"""How long a statement is good: it is made for the request at hand."""

ID_BYTES: Final = 16


class SigningKey:
    """A private key with which a client proves who it is: PEM text or a JSON Web Key. Raises ValueError for any other.

    `id` is what the authorization server calls the key, if it has several of this client.
    """

    def __init__(self, key: str | Mapping[str, Any], algorithm: str = "ES256", id: str | None = None) -> None:
        jose.check_installed()
        jose.sign({}, key, algorithm)
        self._key = key
        self._header = {} if id is None else {"kid": id}
        self.algorithm = algorithm

    def __repr__(self) -> str:
        return f"SigningKey(..., {self.algorithm!r})"

    def form(self, client_id: str, issuer: str, given: Given) -> dict[str, str]:
        """Return the parameters of a token request that say who asks."""
        now = int(given.now())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": issuer,
            "jti": urlsafe_b64encode(given.random(ID_BYTES)).rstrip(b"=").decode(),
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        signed = jose.sign(claims, self._key, self.algorithm, self._header)
        return {"client_assertion_type": CLIENT_KIND, "client_assertion": signed}


def brought(parameter: str, what: str, source: Source) -> Steps[str]:
    """Return what a source brings. Raises `Unfit` where it brings nothing."""
    outcome = yield Obtain(what, source)
    if isinstance(outcome, NoOutcome):
        raise Unfit(parameter, outcome.reason, passing=outcome.passing)
    if not isinstance(outcome, str) or not outcome.strip():
        raise Unfit(parameter, f"the source of {what} returned none")
    return outcome.strip()
