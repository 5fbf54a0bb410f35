"""As whom a client asks over HTTP: whose a private result is that it keeps.

A result that is private may be used again by whoever it was for, and by nobody else (2026-07-28
server/utilities/caching "Cache Scope Field"). `headers=` stay what they are as long as a client is connected; `auth=`
and `http_client=` may ask as somebody else the next time. What cannot be told before a request leaves is nobody's, and
not kept. Loaded where one of these two was given. Below: httpx.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import httpx

_STEADY: Final = (httpx.BasicAuth, httpx.DigestAuth, httpx.NetRCAuth)
"""These say the same as long as they live."""


class Identity:
    """Tells as whom the next request would be made: by `auth`, else by that of the `client`, and what that one sends.

    An `auth` may say it itself: by `principal`, a string that is another one for other credentials, or None while that
    is not known.
    """

    def __init__(self, auth: httpx.Auth | None, client: httpx.AsyncClient | None) -> None:
        self._auth = auth
        self._client = client
        self._known: list[object] = []

    def __call__(self) -> str | None:
        """Return a name for whoever asks now; None where nobody can know."""
        client = self._client
        auth = self._auth or (None if client is None else client.auth)
        who = "" if auth is None else self._of_auth(auth)
        if who is None or client is None:
            return who
        if client.event_hooks["request"]:
            return None  # they may say anything
        cookies = sorted((each.domain, each.path, each.name, each.value) for each in client.cookies.jar)
        return sha256(repr((who, client.headers.multi_items(), cookies)).encode()).hexdigest()

    def _of_auth(self, auth: object) -> str | None:
        said = getattr(auth, "principal", None)
        if isinstance(said, str):
            return f"principal {said}"
        if type(auth) not in _STEADY:
            return None
        # Numbered and kept: what takes the place of one that is gone could have its id.
        for number, known in enumerate(self._known):
            if known is auth:
                return f"auth {number}"
        self._known.append(auth)
        return f"auth {len(self._known) - 1}"
