"""Who says whether a token is good: the signature of an issuer, the issuer itself, or a list of tokens for development.

Each returns on whose behalf a good token speaks. Below: `claims`, `keys`, `auth.jose`.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from mcport.auth import jose
from mcport.core.principal import Principal

from .claims import Unfit, check_audience, check_issuer, check_kind, check_time, principal_of
from .keys import Keys

log: Final = logging.getLogger("mcport.auth")

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)

Introspect: TypeAlias = Callable[[str], Awaitable[Any]]
"""Asks an issuer about a token and returns its answer, as JSON. Raises `Unverifiable`."""


class Verifier(Protocol):
    """Judges tokens; bring one of your own for tokens that only you understand."""

    async def verify(self, token: str) -> Principal | None:
        """Return on whose behalf a token speaks, None if it is not good. Raises `Unverifiable` if nobody can tell."""
        ...


class SignedTokens:
    """Tokens that an issuer signed (RFC 9068), verified with its keys.

    `audiences` are the names under which this server is meant; a token that names none of them is refused, and so is
    one that does not say who issued it or when it ends.
    """

    def __init__(
        self,
        issuer: str,
        audiences: Sequence[str],
        keys: Keys,
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._keys = keys
        self._algorithms = algorithms
        self._now = now

    async def verify(self, token: str) -> Principal | None:
        try:
            header = jose.header_of(token)
            check_kind(header)
            keys = await self._keys.find(header.get("kid"))
            claims = jose.verify(token, keys, self._algorithms).claims
            check_issuer(claims, self._issuer)
            check_audience(claims, self._audiences)
            return principal_of(claims, self._issuer, check_time(claims, self._now()))
        except (jose.BadToken, Unfit) as error:
            log.info("a token is refused: %s", error)
            return None


class AskedTokens:
    """Tokens that say nothing by themselves: their issuer is asked about each (RFC 7662).

    With `audience_said`, as it should be, the issuer has to say for which server a token is.
    """

    def __init__(
        self,
        issuer: str,
        audiences: Sequence[str],
        introspect: Introspect,
        *,
        audience_said: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._introspect = introspect
        self._audience_said = audience_said
        self._now = now

    async def verify(self, token: str) -> Principal | None:
        claims = await self._introspect(token)
        if not isinstance(claims, dict) or claims.get("active") is not True:
            return None
        try:
            check_issuer(claims, self._issuer, said=False)
            check_audience(claims, self._audiences, said=self._audience_said)
            return principal_of(claims, self._issuer, check_time(claims, self._now(), said=False))
        except Unfit as error:
            log.info("a token is refused: %s", error)
            return None


class StaticTokens:
    """Tokens that are known beforehand, for development and tests: each with whoever it stands for.

    `scopes` are granted to those that are given as plain names. Raises ValueError for what no request can carry.
    """

    def __init__(self, tokens: Mapping[str, str | Principal], scopes: Sequence[str] = ()) -> None:
        if not tokens or not all(token and token.isascii() and token.isprintable() for token in tokens):
            raise ValueError("StaticTokens has at least one token, each of printable ASCII characters")
        self._known = {
            _digest(token): who if isinstance(who, Principal) else Principal(who, scopes=scopes)
            for token, who in tokens.items()
        }

    async def verify(self, token: str) -> Principal | None:
        return self._known.get(_digest(token))


class Several:
    """Several verifiers, of which the first that knows a token decides: one for each issuer."""

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        self._verifiers = verifiers

    async def verify(self, token: str) -> Principal | None:
        for each in self._verifiers:
            principal = await each.verify(token)
            if principal is not None:
                return principal
        return None


def _digest(token: str) -> bytes:
    """Tokens are looked up by their digests, so that the time this takes tells nothing of those that are known."""
    return hashlib.sha256(token.encode()).digest()
