"""The token that a request presents: in one `Authorization` header, and nowhere else (OAuth 2.1 5.1, RFC 9449 7.1).

It judges the form alone. Below: nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

HEADER_BYTES: Final = 16 * 1024
"""No header with a token, and no proof, is longer."""

_CREDENTIALS: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([A-Za-z0-9._~+/-]+=*) *\Z")


class Malformed(ValueError):
    """A request presents something in a form that nobody may; the message says what."""


class Presented(NamedTuple):
    """A token as it was presented: the scheme in lower case, the token, and the proofs beside it."""

    scheme: str
    token: str
    proofs: Sequence[str]


def read(authorization: Sequence[str], proofs: Sequence[str]) -> Presented | None:
    """Return what the headers `Authorization` and `DPoP` of a request present; None without any, or in other schemes.

    Raises `Malformed`.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        raise Malformed("there is more than one Authorization header")
    value = authorization[0]
    if len(value) > HEADER_BYTES or any(len(each) > HEADER_BYTES for each in proofs):
        raise Malformed(f"a token or a proof is longer than {HEADER_BYTES} bytes")
    scheme = value.partition(" ")[0].lower()
    if scheme not in ("bearer", "dpop"):
        return None
    found = _CREDENTIALS.match(value)
    if found is None:
        raise Malformed(f"Authorization has the scheme {scheme}, and no token after it")
    return Presented(scheme, found[2], proofs)
