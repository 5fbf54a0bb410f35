"""A server at a URL: what a user may say about the way there, how it is opened, and how errors speak of it.

Loaded for URLs only, and httpx with the first connection. Below: `failures`, `target`, `transports.http.client`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import urlsplit, urlunsplit

from mcport.core.dialects.opening import Approach, OpeningFailed, OpeningRefused, Refused, ServerGone
from mcport.core.limits import Limits
from mcport.errors import ConnectFailed
from mcport.record import Record, changed
from mcport.session.channel import Channel, Trace, TracedChannel, Transport, TransportChannel
from mcport.session.link import Link, Owner, link_over
from mcport.session.loop import Loop
from mcport.spec.revisions import Revision
from mcport.transports.http.client import eras
from mcport.transports.http.client.words import of_status

from .failures import Failures, Remains
from .target import Contact, HttpOptions, Pacing, Patient

if TYPE_CHECKING:
    import httpx

    from mcport.auth.client import Authorized
    from mcport.transports.http.client.endpoint import Endpoint

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_OURS: Final = ("accept", "accept-encoding", "content-length", "content-type", "host", "transfer-encoding")


class HttpTarget:
    """A server at a URL. Raises ValueError or TypeError, in one line, for what is no URL and for bad options."""

    restarts = False

    def __init__(self, url: str, options: HttpOptions) -> None:
        self.name = _shown(url)
        _check(options)
        self._place = _Place(self.name, url, options)

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        return HttpContact(self._place)


class _Place(Record):
    """Where a server is: its name in errors, its URL, and the way there."""

    name: str
    url: str
    options: HttpOptions


class HttpContact:
    """A server that is spoken with over HTTP; whether it is there the first request shows.

    `older` is the connection over HTTP+SSE, where that is what it speaks.
    """

    remains = staticmethod(Remains)

    def __init__(self, place: _Place, trace: Trace | None = None, older: Transport | None = None) -> None:
        self._place = place
        self._trace = trace
        self._older = older

    def link(self, owner: Owner, loop: Loop, limits: Limits) -> Link:
        if self._older is not None:
            channel: Channel = TransportChannel(self._older, loop, limits.message_bytes)
            return link_over(
                channel if self._trace is None else TracedChannel(channel, self._trace), owner, loop, limits
            )

        from mcport.transports.http.client.facing import FacingLink

        link = FacingLink(self._connect, owner, loop, limits, self._trace)
        self.attend(link)
        return link

    @property
    def pace(self) -> Pacing | None:
        from mcport.transports.http.client.pace import Pace

        return Pace() if self._older is None else None

    def traced(self, trace: Trace) -> Contact:
        return HttpContact(self._place, trace)

    async def older(self, loop: Loop, limits: Limits) -> Contact | str:
        from mcport.transports.http.client.endpoint import Unreachable
        from mcport.transports.http.client.sse import NoEndpoint, open_sse

        try:
            return HttpContact(self._place, self._trace, await open_sse(self._connect(), limits.message_bytes))
        except (NoEndpoint, Unreachable) as error:
            return str(error)

    def attend(self, patient: Patient) -> None:
        auth = self._place.options.auth
        if _asks_a_person(auth):
            auth.attend(patient)

    def advised(self, approach: Approach) -> Approach:
        if approach.demanded is not None:
            self._spoken(approach.demanded)
        known = approach.remembered or eras.remembered(self._place.url)
        return changed(approach, transport="http", remembered=known)

    def opened(self, revision: Revision) -> None:
        self._spoken(revision)
        eras.remember(self._place.url, revision)

    def failed(self, failure: OpeningFailed) -> ConnectFailed:
        eras.forget(self._place.url)
        failures = Failures(self._place.name)
        if isinstance(failure, ServerGone):
            return failures.unreachable(failure.reason)
        if isinstance(failure, OpeningRefused) and (cause := _turned_away(failure.refused)) is not None:
            return failures.turned_away(cause)
        return failures.failed(str(failure), Remains())

    def _spoken(self, revision: Revision) -> None:
        """Servers of one revision are found in another way by those who log in."""
        auth = self._place.options.auth
        if _asks_a_person(auth):
            auth.spoken(self._place.url, revision)

    def _connect(self) -> Endpoint:
        from mcport.transports.http.client.endpoint import Endpoint

        options = self._place.options
        return Endpoint(self._place.url, options.headers or {}, client=options.http_client, auth=options.auth)


def _asks_a_person(auth: object) -> TypeGuard[Authorized]:
    """Whether it is authorization of ours; whoever made some has loaded that room, and nobody else has to."""
    client = sys.modules.get("mcport.auth.client")
    return client is not None and isinstance(auth, client.Authorized)


def _turned_away(refused: Refused) -> str | None:
    """Say why something that answers did not let us in; None for the errors of a server that speaks MCP."""
    if refused.code is None:
        return refused.message
    if refused.http_status in (404, 405):
        return of_status(refused.http_status)
    if refused.http_status in (None, 400):
        return None
    return f"answered {refused.http_status}: {refused.message:.500}"


def _shown(url: str) -> str:
    """Return a URL as errors may show it: without a password, and without a query, which often holds a key."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r:.200} is no URL: {error}") from None
    if not host:
        raise ValueError(f"{url!r:.200} is no URL of a server: it names no host")
    if ":" in host:
        host = f"[{host}]"
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", parts.path, "", ""))


def _check(options: HttpOptions) -> None:
    if options.headers is not None:
        _check_headers(options.headers)
    if options.http_client is None:
        return
    import httpx

    if not isinstance(options.http_client, httpx.AsyncClient):
        raise TypeError(f"http_client is an httpx.AsyncClient, not {type(options.http_client).__name__}")


def auth_of(said: object) -> httpx.Auth:
    """Return what authorizes requests, for whatever a user may say that it is. Raises TypeError or ValueError."""
    import httpx

    if isinstance(said, httpx.Auth):
        return said
    if isinstance(said, str):
        return _named(said)
    from mcport.auth.grant import Grant

    if not isinstance(said, Grant) or isinstance(said, type):
        what = f"the class {said.__name__}" if isinstance(said, type) else type(said).__name__
        line = f'auth is "oauth", OAuth(...), a grant such as ClientCredentials(...), or an httpx.Auth, not {what}'
        raise TypeError(line)
    from mcport.auth.granted import Granted

    return Granted(said)


def _named(word: str) -> httpx.Auth:
    """Return what a word stands for: a person at this machine, who stays logged in.

    Any other word may be a token, and is not shown.
    """
    if word != "oauth":
        place = 'headers={"authorization": "Bearer ..."}'
        raise ValueError(f'auth: the only word for it is "oauth"; a token that you have goes in {place}')
    from mcport.auth.client import OAuth
    from mcport.stores.token_file import FileTokens

    return OAuth(store=FileTokens())


def _check_headers(headers: Any) -> None:
    """Raises without a word of the values, which are often secret."""
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers is a dict of strings, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers[{name!r}] is a string, not {type(value).__name__}")
        if not _NAME.match(name):
            raise ValueError(f"headers: {name!r:.80} is no name of a header")
        if name.lower() in _OURS or name.lower().startswith("mcp-"):
            raise ValueError(f"headers: {name} is said by the client itself")
        if not _VALUE.match(value):
            raise ValueError(f"headers[{name!r}] has characters that no header may have")
