"""Requests over plain HTTP/1.1: connections to one origin that are kept, and answers that are read as they come.

The way of most calls, at less than half of what they cost through a general client. It knows no redirects, cookies,
proxies or protocol. Below: `wire`, `trust`, `words`.
"""

from __future__ import annotations

import re
import ssl
from typing import Final

import anyio
import httpx
from anyio.abc import ByteStream

from . import words
from .http1 import Fields, Head
from .trust import NoTrust, trusted
from .wire import GONE, Body, Unheard, Unreachable, Wire

CONNECT_SECONDS: Final = 30.0
"""How long it may take to reach the server, each time, and to wait for one of the connections that are in use."""

IDLE_SECONDS: Final = 4.0
"""So long a connection that nobody uses is kept, where the server does not say how long it keeps it.

Many close theirs after 5 s. What is sent at that very moment is lost, and nobody knows whether it was carried out.
"""

LONGEST_IDLE_SECONDS: Final = 60.0
"""So long it is kept at most, whatever the server says."""

MOST_IDLE: Final = 20
"""So many are kept."""

MOST_USED: Final = 250
"""So many are in use at the same time; whoever wants one more waits."""

_PORTS: Final = {"http": 80, "https": 443}
_SAID: Final = (b"host", b"content-length", b"transfer-encoding")
_TIMEOUT: Final = re.compile(rb"(?:^|[,; ])timeout=([0-9]{1,9})(?:$|[,; ])", re.IGNORECASE)


class Wires:
    """The connections to the origin of one URL."""

    def __init__(self, url: httpx.URL) -> None:
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or _PORTS[url.scheme]
        self._secure = url.scheme == "https"
        self._tls: ssl.SSLContext | None = None
        self._free = anyio.Semaphore(MOST_USED, fast_acquire=True)
        self._idle: list[Wire] = []
        self._closed = False

    async def send(
        self, method: str, url: httpx.URL, fields: Fields, body: bytes, *, repeatable: bool = False
    ) -> httpx.Response:
        """Send a request and return its answer once that has begun. Raises `Unreachable`, ValueError for no request.

        A kept connection may end just when it is used. Then what is `repeatable` is sent once more on a new one.
        """
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            await self._turn()
        fields = [(b"host", url.netloc), *fields]
        try:
            wire, head = await self._sent(method, url.raw_path, fields, body, repeatable)
        except BaseException:
            self._free.release()
            raise
        return httpx.Response(head.status, headers=head.fields, stream=Body(wire, self._done))

    async def _turn(self) -> None:
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Unreachable(f"{MOST_USED} connections to it are in use, and none became free") from None

    async def _sent(
        self, method: str, target: bytes, fields: Fields, body: bytes, repeatable: bool
    ) -> tuple[Wire, Head]:
        kept = await self._kept()
        if kept is not None:
            try:
                return kept, await self._exchange(kept, method, target, fields, body)
            except Unheard:
                if not repeatable:
                    raise
        wire = await self._connect()
        return wire, await self._exchange(wire, method, target, fields, body)

    async def _exchange(self, wire: Wire, method: str, target: bytes, fields: Fields, body: bytes) -> Head:
        try:
            head = await wire.exchange(method, target, fields, body)
        except BaseException:
            await wire.aclose()
            raise
        wire.idle_seconds = _kept_for(head.fields)
        return head

    async def _kept(self) -> Wire | None:
        """Return a connection that is kept, and still good."""
        now = anyio.current_time() if self._idle else 0.0
        while self._idle:
            wire = self._idle.pop()
            if now < wire.idle_until and wire.quiet():
                return wire
            await wire.aclose()
        return None

    async def _connect(self) -> Wire:
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                return Wire(await self._reach())
        except TimeoutError:
            raise Unreachable(f"no connection within {CONNECT_SECONDS:g} s") from None
        except NoTrust as error:
            raise Unreachable(str(error)) from None
        except GONE as error:
            raise Unreachable(words.of_failure(error)) from error

    async def _reach(self) -> ByteStream:
        if not self._secure:
            return await anyio.connect_tcp(self._host, self._port)
        if self._tls is None:
            self._tls = trusted()
            self._tls.set_alpn_protocols(["http/1.1"])
        return await anyio.connect_tcp(
            self._host, self._port, ssl_context=self._tls, tls_standard_compatible=False, tls_hostname=self._host
        )

    async def _done(self, wire: Wire) -> None:
        """Keep a connection whose answer was read to its end, and close any other."""
        self._free.release()
        if self._closed or len(self._idle) >= MOST_IDLE or not wire.ready():
            await wire.aclose()
            return
        wire.idle_until = anyio.current_time() + wire.idle_seconds
        self._idle.append(wire)

    async def aclose(self) -> None:
        """Close every connection that is kept; answers that are being read close theirs."""
        self._closed = True
        idle, self._idle = self._idle, []
        for wire in idle:
            await wire.aclose()


def _kept_for(fields: Fields) -> float:
    """Return for how many seconds a connection may be kept after an answer with these fields."""
    for name, value in fields:
        if name == b"keep-alive" and (found := _TIMEOUT.search(value)):
            return min(max(float(found[1]) - 1.0, 0.0), LONGEST_IDLE_SECONDS)
    return IDLE_SECONDS


class WireTransport(httpx.AsyncBaseTransport):
    """The same as a transport of httpx, for a client of ours that has to do more than send."""

    def __init__(self) -> None:
        self._wires: dict[tuple[str, str, int | None], Wires] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = (url.scheme, url.host, url.port)
        if origin not in self._wires:  # one's own, and wherever a flow of authorization leads
            self._wires[origin] = Wires(url)
        fields = [(name, value) for name, value in request.headers.raw if name.lower() not in _SAID]
        return await self._wires[origin].send(request.method, url, fields, await request.aread())

    async def aclose(self) -> None:
        for wires in self._wires.values():
            await wires.aclose()
