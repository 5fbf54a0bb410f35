"""Whose certificates are believed: those that SSL_CERT_FILE or SSL_CERT_DIR names, or those that come with httpx.

Below: httpx.
"""

from __future__ import annotations

import os
import ssl

import httpx


class NoTrust(Exception):
    """The certificates to believe cannot be read; the text says which."""


def trusted() -> ssl.SSLContext:
    """Return what TLS needs to know a server by its certificate. Raises `NoTrust`."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # which errors of TLS are as well
        named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
        where = f"{named[0]} names" if named else "came with httpx"
        raise NoTrust(f"the certificates that {where} cannot be read: {error.strerror or error}") from None
