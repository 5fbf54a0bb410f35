"""Reading a resource of the same server from inside a handler: the same route, the same middleware, the same errors.

Below: `routes`, `undressing`, `session.exchange`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcport.core.dialects.contract import Admitted
from mcport.core.events import Asked
from mcport.core.input_required import InputRequired
from mcport.errors import InternalError, ResourceNotFound
from mcport.session.exchange import Exchange

from .undressing import undressed

if TYPE_CHECKING:
    from mcport.spec.types import BlobResourceContents, TextResourceContents

    from .routes import Routes

READ: Final = "resources/read"


async def read_resource(
    exchange: Exchange, admitted: Admitted, uri: str
) -> list[TextResourceContents | BlobResourceContents]:
    """Read a resource for the request that a handler is answering. Raises as `resources/read` answers.

    In the stateless era a resource that asks something cannot be read so: its question would be another request's.
    """
    routes: Routes | None = getattr(exchange.conversation, "routes", None)
    route = None if routes is None else routes.table(admitted.revision).get(READ)
    if route is None:
        raise ResourceNotFound(f"Resource not found: {uri}", data={"uri": uri})
    inner = Within(exchange, Asked(exchange.asked.id, READ, {"uri": uri}))
    inner.admitted = admitted
    result = undressed(READ, await route(inner, admitted))
    if isinstance(result, InputRequired):
        raise InternalError(f"the resource {uri!r} asks the client something: only the client can read it")
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
