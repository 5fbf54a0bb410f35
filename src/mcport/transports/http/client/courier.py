"""What every request of a session has in common: its headers, its trace, and whom what comes back is given to.

The session's id is kept here and goes to this endpoint alone; it is never logged. Below: `endpoint`, `core.http`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anyio
import httpx

from mcport.core.framing import Line
from mcport.core.http.headers import EVENT_STREAM, JSON, SESSION, VERSION
from mcport.core.limits import Limits
from mcport.session.channel import Receiver, Trace

from .endpoint import Endpoint

POSTED: Final = {"content-type": JSON, "accept": f"{JSON}, {EVENT_STREAM}", "accept-encoding": "identity"}
HEARD: Final = {"accept": EVENT_STREAM, "accept-encoding": "identity", "cache-control": "no-store"}


class SessionGone(Exception):
    """The server knows the session no more. `id` is that session; `heard` says whether it may have run the request."""

    def __init__(self, id: str, heard: bool) -> None:
        super().__init__("the session is over")
        self.id = id
        self.heard = heard


class Courier:
    """Sends the requests of one session. `id` is None before there is a session, and where the server has none.

    Nothing is asked in a session before it is `ready`: the server has heard that it is open.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits, trace: Trace | None) -> None:
        self.limits = limits
        self.id: str | None = None
        self.version: str | None = None
        self.receiver: Receiver
        self.ready = anyio.Event()
        self._endpoint = endpoint
        self._trace = trace

    def begin(self, headers: Mapping[str, str]) -> None:
        """A session begins with this answer to `initialize`, if the server has any."""
        self.id = headers.get(SESSION)

    async def post(self, body: bytes, *, opening: bool = False, repeatable: bool = False) -> httpx.Response:
        """POST a message; `opening` is for `initialize`, which belongs to no session.

        The caller closes what is returned. Raises `Unreachable`, and `SessionGone` before anything has run.
        """
        if self._trace is not None:
            self._trace("->", body)
        id = None if opening else self.id
        headers = POSTED if opening else {**POSTED, **self._own()}
        response = await self._endpoint.send("POST", headers, body, repeatable=repeatable)
        await self._check(response, id, heard=False)
        return response

    async def get(self, headers: Mapping[str, str]) -> httpx.Response:
        """GET a stream. The caller closes what is returned. Raises `Unreachable` and `SessionGone`."""
        id = self.id
        response = await self._endpoint.send("GET", {**HEARD, **self._own(), **headers}, repeatable=True)
        await self._check(response, id, heard=True)
        return response

    async def delete(self) -> None:
        """End the session, if there is one; servers may not want to be told (405). Raises `Unreachable`."""
        if self.id is not None:
            response = await self._endpoint.send("DELETE", self._own(), repeatable=True)
            await response.aclose()

    def take(self, line: Line) -> None:
        """Give a message to whom it is for."""
        if self._trace is not None:
            self._trace("<-", line if isinstance(line, bytes) else line.head)
        self.receiver.receive([line])

    async def aclose(self) -> None:
        """Close every connection."""
        await self._endpoint.aclose()

    def _own(self) -> dict[str, str]:
        """The headers of a request that belongs to the session."""
        own = {} if self.id is None else {SESSION: self.id}
        return own if self.version is None else {**own, VERSION: self.version}

    async def _check(self, response: httpx.Response, id: str | None, heard: bool) -> None:
        if response.status_code == 404 and id is not None:
            await response.aclose()
            raise SessionGone(id, heard)
