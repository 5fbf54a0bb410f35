"""The way from a client to one server: ask, tell, close.

A link speaks JSON objects and raises the exceptions of `errors`, each naming the server, the phase and the cause. What
the methods mean is the client's business. Below: `session`, `waiting`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mcport.core.events import Call, Progressed
from mcport.core.jsonrpc import ErrorResponse, JsonObject, Malformed, Notification, Response
from mcport.errors import ConnectionLost, InvalidAnswer, RemoteError, Timeout

from .session import Session
from .waiting import Lost, Pending

OnProgress = Callable[[Progressed], None]


class Link(Protocol):
    """Three verbs towards a server; HTTP and streams each have their own."""

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        """Send a request and return its result as it came.

        Raises `RemoteError`, `Timeout`, `ConnectionLost` or `InvalidAnswer`. A caller that is cancelled while it waits
        withdraws the request.
        """
        ...

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        """Send a notification; never waits."""
        ...

    async def aclose(self) -> None:
        """End the conversation; pending calls fail with `ConnectionLost`."""
        ...


class SessionLink:
    """A link over a session. `server` is how the user named the other side; `lost` makes the error for a lost one."""

    def __init__(self, session: Session, server: str, lost: Callable[[str, str], ConnectionLost] | None = None) -> None:
        self.session = session
        self.server = server
        self._lost = lost or self._plainly_lost

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        session = self.session
        if session.over is not None:
            raise self._lost(method, session.over)
        pending = Pending(session.loop, seconds=seconds, on_progress=on_progress)
        call, request = session.peer.request(method, params, progress=on_progress is not None, context=pending)
        try:
            session.send(request)
            answer = await pending.promise
        except Lost as lost:
            raise self._lost(method, str(lost)) from None
        except BaseException:
            # The caller was cancelled (or the request is no JSON): nobody will want the answer.
            self._withdraw(call, pending, "cancelled by the caller")
            raise
        if type(answer) is Response:
            return answer.result
        if answer is None:
            self._withdraw(call, pending, "timed out")
            raise self._silent(method, seconds or 0)
        raise self._failure(method, answer)  # type: ignore[arg-type]

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        if self.session.over is None:
            self.session.send(Notification(method, params))

    async def aclose(self) -> None:
        await self.session.aclose()

    def _withdraw(self, call: Call, pending: Pending, reason: str) -> None:
        pending.stop()
        notification = self.session.peer.withdraw(call, reason)
        if notification is not None and self.session.over is None:
            self.session.send(notification)

    # ---- errors, each naming the server, the phase and the cause

    def _silent(self, method: str, seconds: float) -> Timeout:
        cause = f"no answer within {seconds:g} s"
        return Timeout(f"{method} on server '{self.server}': {cause}", server=self.server, phase=method, cause=cause)

    def _failure(self, method: str, answer: ErrorResponse | Malformed) -> RemoteError | InvalidAnswer:
        if type(answer) is ErrorResponse:
            return RemoteError(answer.message, code=answer.code, data=answer.data, server=self.server, phase=method)
        assert isinstance(answer, Malformed)
        line = f"{method} on server '{self.server}': {answer.reason}"
        return InvalidAnswer(line, server=self.server, phase=method, cause=answer.reason)

    def _plainly_lost(self, phase: str, reason: str) -> ConnectionLost:
        line = f"{phase} on server '{self.server}': connection lost, {reason}"
        return ConnectionLost(line, server=self.server, phase=phase, cause=reason)
