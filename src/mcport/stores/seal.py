"""The seal: bytes that travel through somebody who must neither read nor change them, nor use them elsewhere or later.

AES-256-GCM. What the bytes are bound to (`binding`) is authenticated with them and not carried, so that a token opens
only where the same binding is known anew. Whatever is wrong with a token, the caller learns one thing: `SealBroken`.
It does not know what it seals. Below: `cryptography`, imported when something is first sealed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import struct
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
"""The least length of a key that is given."""

_PURPOSE: Final = b"mcport sealed state, AES-256-GCM, 1"
_VERSION: Final = b"\x01"
_NONCE: Final = 12
_TIMES: Final = struct.Struct(">dd")


class SealBroken(Exception):
    """A token that this seal did not make, or not for this use, or whose time is up. Nobody is told which."""


class Seal:
    """Seals and opens. `key` is 32 bytes or more; of several the first seals and all open, so that keys can change.

    Without a key a random one is made for the life of this process. `now` returns the time in seconds since the epoch.
    Raises ValueError for a key that is too short.
    """

    def __init__(self, key: bytes | Sequence[bytes] | None = None, *, now: Callable[[], float] = time.time) -> None:
        keys = [key] if isinstance(key, bytes | bytearray) else list(key or ())
        for each in keys:
            if len(each) < KEY_BYTES:
                raise ValueError(f"a key of the seal is at least {KEY_BYTES} bytes; make one with os.urandom")
        self.is_shared = bool(keys)
        """Whether other processes may know the key."""
        self._secrets: list[bytes] = [bytes(each) for each in keys]
        self._ciphers: list[AESGCM] | None = None
        self._now = now

    def __repr__(self) -> str:
        return f"Seal(is_shared={self.is_shared})"

    def seal(self, data: bytes, binding: bytes, seconds: float) -> str:
        """Return a token of `data` that opens with the same binding for so many seconds."""
        nonce, issued = os.urandom(_NONCE), self._now()
        body = self._keys()[0].encrypt(nonce, _TIMES.pack(issued, issued + seconds) + data, _VERSION + binding)
        return base64.urlsafe_b64encode(_VERSION + nonce + body).decode().rstrip("=")

    def open(self, token: str, binding: bytes) -> bytes:
        """Return what was sealed. Raises `SealBroken`."""
        raw = _decoded(token)
        nonce, body = raw[1 : 1 + _NONCE], raw[1 + _NONCE :]
        if raw[:1] != _VERSION or len(nonce) != _NONCE:
            raise SealBroken
        plain = self._decrypted(nonce, body, _VERSION + binding)
        issued, expires = _TIMES.unpack(plain[: _TIMES.size])
        if not issued - 60 <= self._now() < expires:  # clocks of several machines differ a little
            raise SealBroken
        return plain[_TIMES.size :]

    def _decrypted(self, nonce: bytes, body: bytes, bound: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        for cipher in self._keys():
            try:
                return cipher.decrypt(nonce, body, bound)
            except InvalidTag:
                continue
        raise SealBroken

    def _keys(self) -> list[AESGCM]:
        if self._ciphers is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            secrets = self._secrets or [os.urandom(KEY_BYTES)]
            self._ciphers = [AESGCM(hmac.digest(secret, _PURPOSE, "sha256")) for secret in secrets]
        return self._ciphers


def _decoded(token: str) -> bytes:
    """The bytes of a token, which has one spelling only."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken from None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise SealBroken
    return raw
