"""Proof keys for codes (RFC 7636): a verifier that stays here, and its challenge, which goes out. S256 and no other.

Below: `secret`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from .secret import Secret

METHOD: Final = "S256"
VERIFIER_BYTES: Final = 48
"""So many random bytes make a verifier: 64 characters, where 43 to 128 are allowed."""


def verifier_of(random: bytes) -> Secret:
    """Return the verifier that random bytes make."""
    return Secret(_text(random))


def challenge_of(verifier: Secret) -> str:
    """Return the challenge of a verifier."""
    return _text(sha256(verifier.reveal().encode()).digest())


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
