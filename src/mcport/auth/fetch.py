"""The one way to documents and token endpoints: guarded against being led astray (server-side request forgery).

A name is resolved once, every address that it stands for is judged, and the connection goes to one of those: whoever
changes the name meanwhile changes nothing. No proxies, no cookies, no redirects but a few within an origin, and bounds
on size and time. Below: `addresses`, `urls`, `steps`; httpx, loaded with the first request.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin, urlsplit

import anyio

from mcport.version import __version__

from .addresses import within_reach
from .judging import Unfit
from .steps import Answer, Ask, NoOutcome
from .urls import judged, origin_of

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 256 * 1024
MOST_SECONDS: Final = 10.0
MOST_REDIRECTS: Final = 5

_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_OURS: Final = {"user-agent": f"mcport/{__version__}", "accept-encoding": "identity"}


class _Barred(Exception):
    """Something may not be asked, or its answer not be read; the text says why."""


class Fetcher:
    """Asks on behalf of the server at a URL; with `private` addresses of private networks may be asked as well."""

    def __init__(self, server: str, *, private: bool = False, seconds: float = MOST_SECONDS) -> None:
        self._server = server
        self._private = private
        self._seconds = seconds
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            for transport in self._transports.values():
                await transport.aclose()

    async def fetch(self, ask: Ask) -> Answer | NoOutcome:
        """Send a request and return its answer, or why there is none; the reason shows nothing of what came."""
        import httpx

        try:
            with anyio.fail_after(self._seconds):
                return await self._followed(ask)
        except TimeoutError:
            return NoOutcome(f"not done within {self._seconds:g} s", passing=True)
        except _Barred as error:
            return NoOutcome(str(error))
        except Unfit as error:
            return NoOutcome(error.reason)
        except (httpx.HTTPError, OSError) as error:
            return NoOutcome(str(error) or type(error).__name__, passing=True)

    async def _followed(self, ask: Ask) -> Answer:
        url = ask.url
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._once(ask, url)
            if answer.status not in _REDIRECTS or ask.method != "GET":
                return answer
            there = urljoin(url, answer.headers.get("location", ""))
            if origin_of(there) != origin_of(url):
                raise _Barred("it sends us to another origin")
            url = there
        raise _Barred(f"it sends us on, more than {MOST_REDIRECTS} times")

    async def _once(self, ask: Ask, url: str) -> Answer:
        import httpx

        judged("url", url, self._server)
        parts = urlsplit(url)
        addresses = await self._addresses(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        for number, address in enumerate(addresses, 1):
            request = _request(ask, url, address)
            try:
                response = await self._transport(parts.scheme).handle_async_request(request)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
            else:
                return await _read(response)
        raise _Barred("it has no address")

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host; all of them have to be within reach."""
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError):
            raise OSError("there is no host of that name") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not all(within_reach(each, self._server, private=self._private) for each in addresses):
            raise _Barred("it is at an address that this server may not send us to (allow_private= would let it)")
        return addresses

    def _transport(self, scheme: str) -> httpx.AsyncHTTPTransport:
        import httpx

        if scheme not in self._transports:
            # Nothing of this machine's own needs certificates.
            verify = _trusted(*map(os.environ.get, _CERTIFICATES)) if scheme == "https" else False
            self._transports[scheme] = httpx.AsyncHTTPTransport(verify=verify)
        return self._transports[scheme]


@lru_cache(maxsize=1)
def _trusted(*named: str | None) -> ssl.SSLContext:
    """Return whom TLS believes, by what the environment names: read once, as that blocks the loop for a while.

    A fetcher lasts for one login, or for one question about a token.
    """
    import httpx

    return httpx.create_ssl_context()


def _request(ask: Ask, url: str, address: str) -> httpx.Request:
    """Return a request that goes to an address, and still names the host, for its certificate as well."""
    import httpx

    there = httpx.URL(url)
    headers = {**_OURS, **ask.headers, "host": there.netloc.decode()}
    pinned = there.copy_with(host=address.partition("%")[0])
    return httpx.Request(ask.method, pinned, headers=headers, content=ask.body, extensions={"sni_hostname": there.host})


async def _read(response: httpx.Response) -> Answer:
    try:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise _Barred("it answers compressed, which it was told not to do")
        return Answer(response.status_code, _headers(response), await _body(response.aiter_raw()))
    finally:
        await response.aclose()


async def _body(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            await _break_off(chunks)
            raise _Barred(f"it answers with more than {MOST_BYTES} bytes")
    return body


async def _break_off(chunks: AsyncIterator[bytes]) -> None:
    """Read no further. httpx reads through generators in generators, which only an exception from within ends all."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        async for _ in chunks:
            pass


def _headers(response: httpx.Response) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
