"""One text for one JSON value, and the digest of it, so that equal values are known as equal wherever they came from.

It does not know what the values mean. Nothing sits below.
"""

from __future__ import annotations

import base64
import json

_DIGEST_BYTES = 18


def canonical(value: object) -> bytes:
    """Return the one text of a JSON value: keys sorted, no spaces, whole numbers without a point.

    Raises ValueError for what is no JSON.
    """
    text = json.dumps(_even(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def digest(value: object) -> str:
    """Return a short text that differs for JSON values that differ (144 bits of SHA-256)."""
    import hashlib  # only who asks pays for it

    return base64.urlsafe_b64encode(hashlib.sha256(canonical(value)).digest()[:_DIGEST_BYTES]).decode()


def _even(value: object) -> object:
    """The value with 1.0 as 1: what passed through another language may have lost the difference."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _even(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_even(each) for each in value]
    return value
