"""On whose behalf a request comes: a name, and what is known of whoever bears it.

The name is what sessions, sealed states, limits and caches are bound to, so it is a string like any other that compares
and hashes by itself alone. Tokens are none of its business: it never holds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

LEEWAY: Final = 60.0
"""How many seconds the clocks of an issuer and of this server may differ."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Principal(str):
    """Whoever a request speaks for. As a string it is a name that nobody else has.

    `subject` is who it is for the `issuer` that says so ("" where nobody in particular does), `client_id` the program
    that acts for it, `scopes` what it may do, `claims` what else the issuer says, `expires_at` when all that ends
    (seconds since 1970, None: not by itself).
    """

    __slots__ = ("claims", "client_id", "expires_at", "issuer", "scopes", "subject")

    subject: str
    issuer: str
    client_id: str | None
    scopes: frozenset[str]
    claims: Mapping[str, Any]
    expires_at: float | None

    def __new__(
        cls,
        subject: str,
        *,
        issuer: str = "",
        client_id: str | None = None,
        scopes: Iterable[str] = (),
        claims: Mapping[str, Any] = _NOTHING,
        expires_at: float | None = None,
    ) -> Principal:
        """Make one. Raises ValueError where there is no subject."""
        if not subject:
            raise ValueError("a principal has a subject")
        self = super().__new__(cls, f"{issuer} {subject}" if issuer else subject)
        self.subject = str(subject)
        self.issuer = issuer
        self.client_id = client_id
        self.scopes = frozenset(scopes)
        self.claims = claims if claims is _NOTHING else MappingProxyType(dict(claims))
        self.expires_at = expires_at
        return self

    @classmethod
    def of(cls, name: str) -> Principal:
        """Return a name as a principal, of whom nothing more is known unless it is one already."""
        return name if isinstance(name, Principal) else cls(name)

    def may(self, *scopes: str) -> bool:
        """Return whether all these scopes were granted."""
        return self.scopes.issuperset(scopes)

    def over(self, now: float) -> bool:
        """Return whether what was granted has ended by now (seconds since 1970), whoever's clock is right."""
        return self.expires_at is not None and self.expires_at + LEEWAY <= now

    def __repr__(self) -> str:
        return f"Principal({self.subject!r}, issuer={self.issuer!r}, client_id={self.client_id!r})"


def check_scopes(scopes: object) -> tuple[str, ...]:
    """Return scopes as a server wants them: one, or several. Raises TypeError or ValueError for what is none."""
    found = (scopes,) if isinstance(scopes, str) else scopes
    if not isinstance(found, list | tuple | set | frozenset):
        raise TypeError(f"scopes is a scope or a list of them, such as ['notes:read'], not {type(scopes).__name__}")
    for scope in found:
        if not isinstance(scope, str) or _SCOPE.fullmatch(scope) is None:
            raise ValueError(f"{scope!r:.80} is no scope: it is text without spaces, quotes and backslashes")
        if scope == "offline_access":
            raise ValueError("offline_access is between a client and its authorization server; no server asks for it")
    return tuple(dict.fromkeys(found))
