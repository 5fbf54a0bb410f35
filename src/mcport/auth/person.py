"""The person who logs in, as a flow's driver sees one: a page is opened for them, and the browser comes back.

By default that is this machine's browser and a port of it; a host with a user interface brings its own. Below:
`browser`, `loopback`, `steps`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from mcport.record import Record

from .browser import open_browser, presentable
from .judging import Unfit
from .loopback import Loopback
from .steps import Listening, NoOutcome, Receive, Returned, Visit
from .urls import on_loopback

OpenUrl: TypeAlias = Callable[[str], object | Awaitable[object]]
"""Opens a page for the person; is called with its URL."""

ReceiveUrl: TypeAlias = Callable[[], str | Awaitable[str]]
"""Returns the URL at which the browser has come back, with its query."""


class Manners(Record):
    """How a person is led to a page and back.

    `redirect_uri` is where the browser comes back, with `receive` to wait for it; without both it is a port of this
    machine, `port`, 0 for any. The person has so many `seconds`.
    """

    open_url: OpenUrl = open_browser
    receive: ReceiveUrl | None = None
    redirect_uri: str | None = None
    port: int = 0
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if (self.receive is None) != (self.redirect_uri is None):
            raise ValueError("redirect_uri= and receive= go together: where the browser comes back, and who notices")
        if self.redirect_uri is not None:
            _check_redirect(self.redirect_uri)


class _NotOpened(Exception):
    """The program's own way to open a page failed."""


class Person:
    """One login of a person."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._loopback: Loopback | None = None

    async def receive(self, step: Receive) -> Listening | NoOutcome:
        """Be ready for the browser's return."""
        if self._manners.redirect_uri is not None:
            return Listening(self._manners.redirect_uri)
        try:
            self._loopback = await Loopback.open(self._manners.port, step.preferred)
        except OSError as error:
            return NoOutcome(f"no port of this machine to come back to: {error}")
        return Listening(self._loopback.url)

    async def visit(self, step: Visit) -> Returned | NoOutcome:
        """Open the page and wait for the browser to come back."""
        seconds = self._manners.seconds
        try:
            page = presentable(step.url)
        except Unfit as error:
            return NoOutcome(error.reason)
        with anyio.move_on_after(seconds):
            try:
                return Returned(await self._query(page, step.state))
            except _NotOpened as error:
                return NoOutcome(f"the page could not be opened: {error}")
        return NoOutcome(f"nobody came back within {seconds:g} s")

    async def aclose(self) -> None:
        """Wait for nobody any more."""
        loopback, self._loopback = self._loopback, None
        if loopback is not None:
            with anyio.CancelScope(shield=True):
                await loopback.aclose()

    async def _query(self, page: str, state: str) -> str:
        """Open the page, and return what the browser brings back. Raises `_NotOpened`."""
        if self._loopback is None:
            if failure := await self._opened(page):
                raise _NotOpened(failure)
            assert self._manners.receive is not None
            return urlsplit(str(await _called(self._manners.receive))).query
        async with self._loopback.serving(state):
            failure = await self._opened(page)
            query = "" if failure else await self._loopback.query()
        if failure:
            raise _NotOpened(failure)
        return query

    async def _opened(self, page: str) -> str | None:
        """Open a page; return why that is impossible."""
        try:
            await _called(self._manners.open_url, page)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None


async def _called(call: Callable[..., object], *values: object) -> object:
    """Call a coroutine function, or a plain one, which may block, in a thread."""
    waits = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
    result = call(*values) if waits else await _in_thread(call, *values)
    return await result if inspect.isawaitable(result) else result


async def _in_thread(call: Callable[..., object], *values: object) -> object:
    return await to_thread.run_sync(call, *values, abandon_on_cancel=True)


def _check_redirect(uri: str) -> None:
    """Raise ValueError for where no browser should come back ("Communication Security")."""
    parts = urlsplit(uri)
    private_scheme = "." in parts.scheme  # an app's own, which is a domain name in reverse (RFC 8252, section 7.1)
    if not (parts.scheme == "https" or private_scheme or (parts.scheme == "http" and on_loopback(uri))):
        raise ValueError(f"redirect_uri: {uri!r} is neither https nor a port of this machine")
    if "#" in uri:
        raise ValueError(f"redirect_uri: {uri!r} has a fragment, which never comes back")
