"""Reading a resource of the same server from inside a handler: the same route, the same middleware, the same errors.

Below: `routes`, `undressing`, `session.exchange`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcport.core.dialects.contract import Admitted
from mcport.core.events import Asked
from mcport.core.input_required import InputRequired
from mcport.errors import InternalError, ResourceNotFound
from mcport.server.asking.outcomes import stopped
from mcport.server.asking.stop import RunStopped
from mcport.server.middleware.undressing import undressed
from mcport.session.exchange import Exchange

if TYPE_CHECKING:
    from mcport.server.routes import Routes
    from mcport.spec.types import BlobResourceContents, TextResourceContents

READ: Final = "resources/read"


async def read_resource(
    exchange: Exchange, admitted: Admitted, uri: str
) -> list[TextResourceContents | BlobResourceContents]:
    """Read a resource for the request that a handler is answering. Raises as `resources/read` answers.

    What the resource asks the client is asked for the request that reads it; one that asks by returning `InputRequired`
    cannot be read so, because nobody could hand it the answers.
    """
    routes: Routes | None = getattr(exchange.conversation, "routes", None)
    route = None if routes is None else routes.table(admitted.revision).get(READ)
    if route is None:
        raise ResourceNotFound(f"Resource not found: {uri}", data={"uri": uri})
    inner = Within(exchange, Asked(exchange.asked.id, READ, {"uri": uri}))
    inner.admitted = admitted
    result = undressed(READ, await route(inner, admitted))
    if isinstance(result, InputRequired):
        if stopped(exchange) is not None:
            raise RunStopped
        raise InternalError(f"the resource {uri!r} asks by returning InputRequired: only the client can read it")
    contents: list[TextResourceContents | BlobResourceContents] = result.contents
    return contents


class Within(Exchange):
    """A request that a handler makes of its own server: it is over when the outer one is, and is nobody's otherwise."""

    __slots__ = ("_outer",)

    def __init__(self, outer: Exchange, asked: Asked) -> None:
        self._outer = outer
        super().__init__(asked, outer.outlet, outer.conversation)
        self.headers, self.principal = outer.headers, outer.principal
        if (deadline := getattr(outer, "deadline", None)) is not None:
            self.deadline = deadline

    @property
    def outermost(self) -> Exchange:
        """The request of the client."""
        return self._outer.outermost

    @property
    def asker(self) -> object:
        """Who asks for the outer request: questions of this one are its questions."""
        return self._outer.asker

    @asker.setter
    def asker(self, asker: object) -> None:
        if asker is not None:
            self._outer.asker = asker

    @property
    def task(self) -> object:
        """The task in which the outer request is answered."""
        return self._outer.task

    @task.setter
    def task(self, task: object) -> None:
        """It has none of its own."""

    @property
    def cancelled(self) -> bool:
        """Whether the outer request was withdrawn."""
        return self._outer.cancelled

    @cancelled.setter
    def cancelled(self, cancelled: bool) -> None:
        """Nobody can withdraw this one alone."""
