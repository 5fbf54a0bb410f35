"""Statements that others signed, as an authorization server for development judges them (RFC 7523, section 3).

Below: `auth.jose`, `wire`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mcport.auth import jose

from .kept import Kept
from .wire import Refused

ALGORITHMS: Final = ("ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519")

_BAD: Final = "invalid_grant"


class Statements:
    """Judges statements that are for one audience or another of this server's names."""

    def __init__(self, audiences: Sequence[str]) -> None:
        self._audiences = {*audiences}
        self._used: Kept[float] = Kept()

    def read(
        self, token: str, keys: Sequence[jose.JsonWebKey], now: float, error: str = "invalid_grant"
    ) -> jose.Signed:
        """Return what a statement says that one of the keys signed. Raises `Refused` with the `error`."""
        try:
            signed = jose.verify(token, keys, ALGORITHMS)
        except jose.BadToken as bad:
            raise Refused(error, f"the statement is not good: {bad}") from None
        audience, ends = signed.claims.get("aud"), signed.claims.get("exp")
        meant = {audience} if isinstance(audience, str) else {*(audience or ())}
        if not meant & self._audiences:
            raise Refused(error, "the statement is for somebody else")
        if not isinstance(ends, int | float) or ends <= now:
            raise Refused(error, "the statement is over, or does not say when it is")
        return signed

    def use_up(self, signed: jose.Signed, error: str = _BAD) -> None:
        """Take a statement that is good once. Raises `Refused` for one that came before."""
        name = f"{signed.claims.get('iss')} {signed.claims.get('jti')}"
        if not signed.claims.get("jti") or name in self._used:
            raise Refused(error, "the statement has no jti, or came before")
        self._used[name] = signed.claims["exp"]
