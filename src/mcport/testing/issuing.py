"""What an authorization server for development signs: access tokens, identity tokens, assertions; and its keys.

It remembers what it gave, so that it can be asked about it and take it back. Below: `auth.jose`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from mcport.auth.jose import new_key, public_key, sign

from .kept import Kept

ALGORITHM: Final = "ES256"


class Issuing:
    """Signs in the name of an issuer."""

    def __init__(self, issuer: str, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._now = now
        self._keys = [_new()]
        self._given: Kept[dict[str, Any]] = Kept()

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The public keys that are published."""
        return [public_key(each, ALGORITHM) for each in self._keys]

    def rotate(self, *, forget: bool) -> None:
        """Sign with a new key; publish the older ones no more, with `forget`."""
        self._keys = [_new(), *([] if forget else self._keys)]

    def signed(self, kind: str, seconds: float, **claims: object) -> str:
        """Return a token of a kind with these claims; None takes a usual one away."""
        now = int(self._now())
        usual = {"iss": self._issuer, "iat": now, "exp": now + int(seconds), "jti": secrets.token_hex(8)}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        key = self._keys[0]
        token = sign(said, key, ALGORITHM, {"typ": kind, "kid": key["kid"]})
        self._given[token] = said
        return token

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """Return what a token says that was given and is still good, else None."""
        found = self._given.get(token)
        return found if found is not None and found["exp"] > self._now() else None

    def revoke(self, token: str) -> None:
        """Take a token back, for whoever asks about it; harmless for any other text."""
        self._given.pop(token, None)


def _new() -> dict[str, Any]:
    return {**new_key(ALGORITHM), "kid": secrets.token_hex(4)}
