"""What a handler may know and say while it runs: the `Context` that it asks for by annotation.

Below: `speaks`, `session.exchange` and the dialects' values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import Id, JsonObject
from mcport.session.exchange import Exchange

from .speaks import Speaks

if TYPE_CHECKING:
    from mcport.core.principal import Principal

    from .blocking import Blocking

LifespanT = TypeVar("LifespanT", default=Any)


class Context(Speaks, Generic[LifespanT]):
    """The request that a handler is answering.

    Annotate a parameter with it, in a tool, resource or prompt; it never shows in a schema. The type argument is what
    the server's lifespan yields.
    """

    __slots__ = ("_admitted", "_exchange", "_lifespan")

    def __init__(self, exchange: Exchange, admitted: Admitted, lifespan: LifespanT) -> None:
        self._exchange = exchange
        self._admitted = admitted
        self._lifespan = lifespan

    @property
    def request_id(self) -> Id:
        """The JSON-RPC id of the request, as the client gave it."""
        return self._exchange.asked.id

    @property
    def revision(self) -> str:
        """The protocol revision of this request, such as the latest one."""
        return self._admitted.revision.name

    @property
    def client_info(self) -> JsonObject:
        """How the client named itself; empty where it did not. For logs, never for decisions."""
        return self._admitted.client_info

    @property
    def client_capabilities(self) -> JsonObject:
        """What the client declared that it can do, for this request."""
        return self._admitted.client_capabilities

    @property
    def lifespan(self) -> LifespanT:
        """What the server's lifespan yielded; None without one."""
        return self._lifespan

    @property
    def cancelled(self) -> bool:
        """Whether the client withdrew the request; for `def` handlers, which nothing can stop from outside."""
        return self._exchange.cancelled

    @property
    def cancel_reason(self) -> str | None:
        """Why the request was withdrawn, in the client's words; None while it is not, or where none were given."""
        return self._exchange.reason

    @property
    def meta(self) -> JsonObject:
        """The `_meta` of the request, the protocol's own keys included; empty without any."""
        meta = self._exchange.asked.params.get("_meta")
        return dict(meta) if type(meta) is dict else {}

    @property
    def headers(self) -> Mapping[str, str] | None:
        """The headers of the HTTP request that brought this one; None where none did, as over stdio."""
        return self._exchange.headers

    @property
    def principal(self) -> Principal | None:
        """On whose behalf the request comes, as its authorization says; None where nobody asked for any.

        It compares as its name; `subject`, `issuer`, `scopes` and `claims` tell more where tokens are checked
        (`Server(auth=...)`). The token itself is not among them.
        """
        if self._exchange.principal is None:
            return None
        from mcport.core.principal import Principal

        return Principal.of(self._exchange.principal)

    @property
    def blocking(self) -> Blocking:
        """All coroutines of the context as plain methods, for `def` handlers: `ctx.blocking.report_progress(1, 3)`."""
        from .blocking import Blocking

        return Blocking(self)
