"""Who says whether a token is good: the signature of an issuer, the issuer itself, or a list of tokens for development.

Each returns on whose behalf a good token speaks. Below: `claims`, `keys`, `auth.jose`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from mcport.auth import jose
from mcport.core.principal import Principal

from .claims import BadClaims, check_audience, check_issuer, check_kind, check_time, principal_of
from .journal import Journal
from .keys import Keys

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
    one that does not say who issued it or when it ends. Raises ModuleNotFoundError without `mcport[auth]`.
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
        jose.check_installed()
        self._journal = Journal()
        self._issuer = issuer
        self._audiences = audiences
        self._keys = keys
        self._algorithms = algorithms
        self._now = now

    async def verify(self, token: str) -> Principal | None:
        try:
            header = jose.header_of(token)
            check_kind(header)
            check_issuer(jose.unverified(token), self._issuer)  # whose keys are not these need not be asked for
            keys = await self._keys.find(header.get("kid"))
            claims = jose.verify(token, keys, self._algorithms).claims
            check_issuer(claims, self._issuer)
            check_audience(claims, self._audiences)
            return principal_of(claims, self._issuer, check_time(claims, self._now()))
        except (jose.BadToken, BadClaims) as error:
            self._journal.refused(error)
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
        self._journal = Journal()
        self._issuer = issuer
        self._audiences = audiences
        self._introspect = introspect
        self._audience_said = audience_said
        self._now = now

    async def verify(self, token: str) -> Principal | None:
        claims = await self._introspect(token)
        try:
            if not isinstance(claims, dict) or claims.get("active") is not True:
                raise BadClaims("its issuer says that it is not active")
            check_issuer(claims, self._issuer, said=False)
            check_audience(claims, self._audiences, said=self._audience_said)
            return principal_of(claims, self._issuer, check_time(claims, self._now(), said=False))
        except BadClaims as error:
            self._journal.refused(error)
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


class ByIssuer:
    """Verifiers of several issuers: that one decides from whose issuer a token says that it comes.

    So no issuer is asked about tokens of another one, and one that cannot be reached stands in the way of its own.
    """

    def __init__(self, verifiers: Mapping[str, Verifier]) -> None:
        self._verifiers = verifiers
        self._journal = Journal()

    async def verify(self, token: str) -> Principal | None:
        try:
            issuer = jose.unverified(token).get("iss")
            verifier = self._verifiers.get(issuer) if isinstance(issuer, str) else None
            if verifier is None:
                raise BadClaims("it comes from another issuer")
        except (jose.BadToken, BadClaims) as error:
            self._journal.refused(error)
            return None
        return await verifier.verify(token)


def _digest(token: str) -> bytes:
    """Tokens are looked up by their digests, so that the time this takes tells nothing of those that are known."""
    return hashlib.sha256(token.encode()).digest()
