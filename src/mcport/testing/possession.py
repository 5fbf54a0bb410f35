"""Proofs of possession at the token endpoint of an authorization server for development (DPoP, RFC 9449, section 5).

Below: `auth.proof`, `auth.jose`, `wire`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from mcport.auth import jose
from mcport.auth.proof import KIND, place_of

from .kept import Kept
from .statements import ALGORITHMS
from .wire import Headers, Refused

AGE: Final = 300.0
"""How many seconds a proof may be old."""


class Possession:
    """Judges the proofs that come with token requests to a URL; with `nonces` each says a number of this server."""

    def __init__(self, url: str, nonces: bool, now: Callable[[], float]) -> None:
        self._url = url
        self._now = now
        self._used: Kept[bool] = Kept()
        self._nonce = secrets.token_urlsafe(12) if nonces else None

    def renew(self) -> None:
        """Want another number from now on."""
        if self._nonce is not None:
            self._nonce = secrets.token_urlsafe(12)

    def key_of(self, headers: Headers) -> str | None:
        """Return the thumbprint of the key that a request proves to have, None if it proves none. Raises `Refused`."""
        proof = headers.get("dpop")
        if proof is None:
            return None
        try:
            header, claims = jose.verify_own_key(proof, ALGORITHMS)
        except jose.BadToken as error:
            raise Refused("invalid_dpop_proof", f"the proof cannot be read: {error}") from None
        place = place_of(claims.get("htu")) == place_of(self._url)
        if header.get("typ") != KIND or claims.get("htm") != "POST" or not place:
            raise Refused("invalid_dpop_proof", "the proof is for something else")
        self._check_first(claims)
        return jose.thumbprint(header["jwk"])

    def _check_first(self, claims: dict[str, object]) -> None:
        made, id = claims.get("iat"), claims.get("jti")
        if not isinstance(made, int | float) or abs(self._now() - made) > AGE:
            raise Refused("invalid_dpop_proof", "the proof was not made just now")
        if self._nonce is not None and claims.get("nonce") != self._nonce:
            raise Refused("use_dpop_nonce", "say this number in the proof", headers={"dpop-nonce": self._nonce})
        if not isinstance(id, str) or id in self._used:
            raise Refused("invalid_dpop_proof", "the proof has no jti, or was used before")
        self._used[id] = True
