"""Proofs of possession: that whoever presents a token has the key which it is bound to (DPoP, RFC 9449).

A proof is good for one request. Whether it came before is remembered in a store, which several workers may share.
Below: `auth.proof`, `auth.jose`, `stores.values`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from mcport.auth import jose
from mcport.auth.proof import KIND, digest_of, place_of
from mcport.stores.values import Store

ALGORITHMS: Final = ("ES256", "ES384", "ES512", "PS256", "RS256", "Ed25519", "EdDSA")

AGE: Final = 300.0
"""How many seconds a proof may be old, or ahead of this server's clock."""

_ID_LENGTH: Final = 256


class BadProof(ValueError):
    """There is no good proof; the message says what is wrong with it."""


def bound_key(claims: Any) -> str:
    """Return the thumbprint of the key to which a token is bound. Raises `BadProof` where that is none."""
    bond = claims.get("cnf")
    key = bond.get("jkt") if isinstance(bond, dict) else None
    if not isinstance(key, str) or not key:
        raise BadProof("the token is bound to something that is not known here")
    return key


class Proofs:
    """Judges the proofs that come with requests to one server."""

    def __init__(self, store: Store) -> None:
        jose.check_installed()
        self._store = store

    async def check(
        self, proofs: Sequence[str], token: str, key: str, request: tuple[str, str], now: float
    ) -> dict[str, Any]:
        """Return what the proof of a request says; `key` is the one that its token is bound to.

        Raises `BadProof`.
        """
        if len(proofs) != 1:
            raise BadProof("a request has exactly one DPoP header" if proofs else "there is no DPoP header")
        try:
            header, claims = jose.verify_own_key(proofs[0], ALGORITHMS)
        except jose.BadToken as error:
            raise BadProof(f"the proof cannot be read: {error}") from None
        if header.get("typ") != KIND:
            raise BadProof("the proof is no dpop+jwt")
        if jose.thumbprint(header["jwk"]) != key:
            raise BadProof("the proof was made with another key than the token's")
        _check_request(claims, token, request)
        _check_age(claims, now)
        await self._use_up(claims, key)
        return claims

    async def _use_up(self, claims: dict[str, Any], key: str) -> None:
        id = claims.get("jti")
        if not isinstance(id, str) or not 0 < len(id) <= _ID_LENGTH:
            raise BadProof("the proof has no jti")
        name = hashlib.sha256(f"{key} {id}".encode()).hexdigest()
        if not await self._store.use(f"dpop {name}", 2 * AGE):
            raise BadProof("the proof was used before")


def _check_request(claims: dict[str, Any], token: str, request: tuple[str, str]) -> None:
    method, url = request
    if claims.get("htm") != method:
        raise BadProof("the proof is for another method")
    if place_of(claims.get("htu")) != place_of(url):
        raise BadProof("the proof is for another URL")
    if claims.get("ath") != digest_of(token):
        raise BadProof("the proof is for another token")


def _check_age(claims: dict[str, Any], now: float) -> None:
    made = claims.get("iat")
    if isinstance(made, bool) or not isinstance(made, int | float) or abs(now - made) > AGE:
        raise BadProof("the proof was not made just now")
