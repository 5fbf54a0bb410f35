"""One URL that takes POSTs: how bytes go there and an answer begins to come back.

It knows nothing of the protocol. Without anything that needs more, requests go the `plain` way; with auth they go
through httpx's `AsyncClient` on top of that, with proxies or a client of the user's own through the whole of httpx.
Every time-out is the caller's. Below: `plain`, `trust`, `words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.request import getproxies

import httpx

from mcport.core.http.addressed import SERVER

from . import words
from .http1 import Fields
from .plain import CONNECT_SECONDS, IDLE_SECONDS, MOST_IDLE, MOST_USED, Wires, WireTransport
from .trust import NoTrust, trusted
from .wire import Unreachable as Unreachable

REDIRECTS: Final = (307, 308)
"""These two keep method and body; with any other a request would become something else."""

MOST_COOKIES: Final = 50
"""So many cookies come back to a server; one that sets more is given those of its latest answer only."""

_TIMES: Final = httpx.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
_POOL: Final = httpx.Limits(
    max_connections=MOST_USED, max_keepalive_connections=MOST_IDLE, keepalive_expiry=IDLE_SECONDS
)


class Endpoint:
    """Sends to one URL, with these headers each time. A client that is given is used and not closed."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        client: httpx.AsyncClient | None = None,
        auth: httpx.Auth | None = None,
    ) -> None:
        self._url = httpx.URL(url)
        self._extensions = {SERVER: url}
        self._headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._auth = httpx.USE_CLIENT_DEFAULT if auth is None else auth
        self._client = client
        self._owned: httpx.AsyncClient | Wires | None = None
        self._wires: Wires | None = None
        self._cookies: httpx.Cookies | None = None
        needs_client = auth is not None or bool(self._url.userinfo) or _proxied(self._url.scheme)
        if client is None and not needs_client:
            self._wires = self._owned = Wires(self._url)

    async def send(
        self, method: str, headers: Mapping[str, str], body: bytes = b"", *, repeatable: bool = False
    ) -> httpx.Response:
        """Send a request and return its answer once that has begun; the caller closes it.

        `repeatable` says that nothing is spoilt if the server carries it out twice. One redirect is followed, body and
        all, to the same origin, and kept in mind. Raises `Unreachable`.
        """
        fields = [*self._headers, *[(name.encode(), value.encode()) for name, value in headers.items()]]
        response = await self._once(method, fields, body, repeatable)
        if response.status_code in REDIRECTS and self.follow(response.headers.get("location", "")):
            await response.aclose()
            response = await self._once(method, fields, body, repeatable)
        return response

    async def _once(self, method: str, fields: Fields, body: bytes, repeatable: bool) -> httpx.Response:
        try:
            if self._wires is not None:
                return await self._plain(self._wires, method, fields, body, repeatable)
            client = self._client or self._opened()
            times = httpx.Timeout(**{**client.timeout.as_dict(), "read": None})
            request = client.build_request(
                method, self._url, headers=fields, content=body, timeout=times, extensions=self._extensions
            )
            return await client.send(request, stream=True, auth=self._auth, follow_redirects=False)
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(words.of_failure(error)) from error

    def _opened(self) -> httpx.AsyncClient:
        """Return a client of our own, from now on. Raises `Unreachable` where the environment allows of none."""
        if not _proxied(self._url.scheme):
            client = httpx.AsyncClient(transport=WireTransport())
        else:
            try:
                client = httpx.AsyncClient(limits=_POOL, timeout=_TIMES, verify=trusted())
            except NoTrust as error:
                raise Unreachable(str(error)) from None
            except (ValueError, ImportError, httpx.InvalidURL) as error:
                raise Unreachable(f"the proxy that the environment names cannot be used: {error}") from None
        self._client = self._owned = client
        return client

    async def _plain(self, wires: Wires, method: str, fields: Fields, body: bytes, repeatable: bool) -> httpx.Response:
        if self._cookies is not None:
            fields = [*fields, *self._cookie()]
        response = await wires.send(method, self._url, fields, body, repeatable=repeatable)
        if "set-cookie" in response.headers:
            # Load balancers know by a cookie which server to send a client to.
            response.request = httpx.Request(method, self._url)
            if self._cookies is None or len(self._cookies.jar) >= MOST_COOKIES:
                self._cookies = httpx.Cookies()
            self._cookies.extract_cookies(response)
        return response

    def _cookie(self) -> Fields:
        """Return the header that brings cookies back to whoever set them."""
        assert self._cookies is not None
        request = httpx.Request("POST", self._url)
        self._cookies.set_cookie_header(request)
        return [(b"cookie", request.headers["cookie"].encode("latin-1"))] if "cookie" in request.headers else []

    def follow(self, location: str) -> bool:
        """Go where the server points from now on, if that is the same origin; return whether it is."""
        try:
            url = self._url.join(location)
        except httpx.InvalidURL:
            return False
        url = url.copy_with(userinfo=self._url.userinfo)  # who asks is never the server's to say
        same = (url.scheme, url.host, url.port) == (self._url.scheme, self._url.host, self._url.port)
        if same and location:
            self._url = url
        return same and bool(location)

    async def aclose(self) -> None:
        """Close every connection that is this endpoint's own."""
        if self._owned is not None:
            await self._owned.aclose()


def _proxied(scheme: str) -> bool:
    """Whether the environment may want such requests to go through a proxy; httpx's client knows which."""
    proxies = getproxies()
    return scheme in proxies or "all" in proxies
