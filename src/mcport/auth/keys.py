"""Under which names things are stored: each name says whose it is, so that nothing is found for somebody else.

Below: nothing.
"""

from __future__ import annotations

import json


def tokens_key(issuer: str, server: str, profile: str) -> str:
    """Return the key of the tokens that an issuer gave for a server."""
    return _key("tokens", issuer, server, profile)


def issuer_key(server: str, profile: str) -> str:
    """Return the key under which it stands who gave the tokens for a server last."""
    return _key("issuer", server, profile)


def client_key(issuer: str) -> str:
    """Return the key of the identity that an issuer gave to this client."""
    return _key("client", issuer)


def owner_key(client_id: str) -> str:
    """Return the key under which it stands whose a client id is that the program brought along."""
    return _key("owner", client_id)


def _key(*parts: str) -> str:
    return json.dumps(parts)
