"""Proofs that whoever sends a request has the key that its token is bound to: what they say (DPoP, RFC 9449 4.2).

Clients make them and servers judge them by the same rules. Below: `jose`, `resource`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from . import jose
from .resource import canonical

KIND: Final = "dpop+jwt"


def make(
    key: Mapping[str, Any], algorithm: str, request: tuple[str, str], *, id: str, now: float, **more: str | None
) -> str:
    """Return a proof for a request, its method and URL, signed by a private key; what is None is left out."""
    method, url = request
    claims = {"jti": id, "htm": method, "htu": _bare(url), "iat": int(now), **more}
    said = {name: value for name, value in claims.items() if value is not None}
    return jose.sign(said, key, algorithm, {"typ": KIND, "jwk": jose.public_key(key, algorithm)})


def digest_of(token: str) -> str:
    """Return what a proof says of the token that it goes with (`ath`)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()).rstrip(b"=").decode()


def place_of(url: object) -> str | None:
    """Return a URL as proofs are compared by it, without its query and fragment; None for what is none."""
    if not isinstance(url, str):
        return None
    try:
        return canonical(_bare(url))
    except ValueError:
        return None


def _bare(url: str) -> str:
    return urlsplit(url)._replace(query="", fragment="").geturl()
