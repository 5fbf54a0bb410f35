"""The Client: what people write to talk to one server.

Below: every other room of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio

from .. import __version__
from ..core.dialects.opening import PROBE_SECONDS, Approach, Opened
from ..core.jsonrpc import JsonObject
from ..core.limits import CLIENT_LIMITS, Limits
from ..errors import ConnectFailed, InvalidAnswer, Timeout
from ..session.loop import Loop, current_loop
from ..spec.revisions import REVISIONS, Revision
from .callbacks import ProgressCallback, progress_hook
from .calls import Calls
from .connection import Connection
from .handle import CallHandle
from .opening import Opening
from .target import TargetLike, target_of

if TYPE_CHECKING:
    from ..spec.model import Model
    from ..spec.types import CallToolResult

ModelT = TypeVar("ModelT", bound="Model")

CONNECT_SECONDS = 30.0
CALL_SECONDS = 300.0


class Client(Calls):
    """A conversation with one MCP server.

        async with Client("weather.py") as client:
            result = await client.call_tool("forecast", {"city": "Lyon"})

    `target` is a path to a Python script, a command as a list of arguments, an entry of an `mcpServers` file, a
    `Server` in this process, or a transport. With `revision` that protocol revision is spoken and no other; without it
    the client finds out. `env` is added to the few variables that a child process gets, `cwd` is its directory.
    `progress` is called with the progress of every call. `timeout` is how many seconds a call may be silent,
    `connect_timeout` how many the opening may take, `probe_timeout` how many a server may be silent before it is taken
    for an older one; None waits for ever.

    It may be opened and closed from any task, in any order.
    """

    def __init__(
        self,
        target: TargetLike,
        *,
        revision: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = CALL_SECONDS,
        connect_timeout: float | None = CONNECT_SECONDS,
        probe_timeout: float = PROBE_SECONDS,
        name: str = "mcport",
        version: str = __version__,
        limits: Limits = CLIENT_LIMITS,
        trace: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._target = target_of(target, env, cwd, trace)
        self._info = {"name": name, "version": version}
        self._approach = Approach(
            lambda revision: self._info, lambda revision: {}, demanded=_demanded(revision), probe_seconds=probe_timeout
        )
        self._progress = progress
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._limits = limits
        self._loop: Loop | None = None
        self._connection: Connection | None = None
        self._opened: Opened | None = None

    def __repr__(self) -> str:
        state = f"speaks {self.revision}" if self._connection is not None else "not connected"
        return f"<Client of '{self._target.name}', {state}>"

    # ---- opening and closing

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def connect(self) -> None:
        """Start the server if it is to be started, and open the conversation.

        Raises `ConnectFailed` with one line that names the server and the cause, or `Timeout`.
        """
        if self._connection is not None:
            raise RuntimeError(f"{self!r} is connected already")
        loop = current_loop()
        opening = Opening(self._target, self._approach, loop, self._limits)
        with anyio.move_on_after(self._connect_timeout):
            self._connection, self._opened = await opening.run()
            self._loop = loop
            self._remember()
            return
        cause = f"no answer to {opening.phase} within {self._connect_timeout:g} s"
        line = f"Server '{self._target.name}' is silent: {cause}"
        raise Timeout(line, server=self._target.name, phase="connecting", cause=cause)

    def _remember(self) -> None:
        """A client that connects again need not find out again."""
        if self._approach.demanded is None and self._opened is not None:
            approach = self._approach
            self._approach = Approach(
                approach.info,
                approach.capabilities,
                remembered=self._opened.revision,
                probe_seconds=approach.probe_seconds,
            )

    async def aclose(self) -> None:
        """End the conversation, and the server if this client started it. Pending calls fail with `ConnectionLost`.

        Safe to call twice, from any task, and while it is being cancelled.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            with anyio.CancelScope(shield=True):
                await connection.aclose()

    # ---- what is known of the server

    @property
    def revision(self) -> str:
        """The protocol revision that is spoken."""
        return self._known.revision.name

    @property
    def server_info(self) -> JsonObject:
        """How the server named itself; empty where it did not."""
        return self._known.server_info or {}

    @property
    def capabilities(self) -> JsonObject:
        """What the server declared that it can do."""
        return self._known.capabilities

    @property
    def instructions(self) -> str | None:
        """How a model should use the server, in the server's words."""
        return self._known.instructions

    @property
    def _known(self) -> Opened:
        if self._opened is None:
            raise self._not_connected()
        return self._opened

    def _not_connected(self) -> ConnectFailed:
        line = f"the client of '{self._target.name}' is not connected: use 'async with' or connect()"
        return ConnectFailed(line, server=self._target.name, phase="calling", cause="not connected")

    # ---- calls; `Calls` has the typed ones

    async def request(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> JsonObject:
        """Send any request and return its result as a JSON object.

        `timeout` is how many seconds it may be silent, the client's own without it. `progress` is called with the
        progress, the total and the message of each report. Raises `NotDeclared` where the server or the revision lacks
        the method, `RemoteError` for an error, `Timeout`, `ConnectionLost` and `InvalidAnswer`.
        """
        if self._connection is None or self._loop is None:
            raise self._not_connected()
        callback = progress or self._progress
        hook = progress_hook(self._loop, callback) if callback is not None else None
        seconds = self._timeout if timeout is None else timeout
        return await self._connection.ask(method, params, seconds=seconds, on_progress=hook)

    async def _call(self, method: str, params: JsonObject, result: type[ModelT], **options: Any) -> ModelT:
        """Send a request of the method table and return its typed result."""
        found = await self.request(method, {name: value for name, value in params.items() if value is not None}, **options)
        try:
            return result.from_wire(found)
        except ValueError as error:
            from ..spec.model import first_fault

            cause = f"the result does not fit {result.__name__}: {first_fault(error)}"  # type: ignore[arg-type]
            line = f"{method} on server '{self._target.name}': {cause}"
            raise InvalidAnswer(line, server=self._target.name, phase=method, cause=cause) from None

    def notify(self, method: str, params: JsonObject | None = None) -> None:
        """Send any notification; returns at once."""
        if self._connection is None:
            raise self._not_connected()
        self._connection.link.tell(method, params)

    def start_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> CallHandle[CallToolResult]:
        """Start a tool call and return its handle at once: await it for the result, or `cancel()` it."""
        if self._loop is None:
            raise self._not_connected()
        run = self.call_tool(name, arguments, timeout=timeout, progress=progress)
        return CallHandle(self._loop, run, self._target.name, f"tools/call {name}")


def _demanded(name: str | None) -> Revision | None:
    if name is None:
        return None
    if name not in REVISIONS:
        raise ValueError(f"unknown protocol revision {name!r}; known: {', '.join(REVISIONS)}")
    return REVISIONS[name]
