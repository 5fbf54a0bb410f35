"""What an HTTP endpoint asks of the server behind it.

The doors of this package know no kernel and no facade, only this. Below: `session.exchange`, the dialects' contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from mcport.core.dialects.contract import Conversation, Offer
from mcport.core.events import Asked, Told
from mcport.core.jsonrpc import Decoded
from mcport.core.limits import Limits
from mcport.core.mirrors import Mirror
from mcport.record import Record
from mcport.session.channel import Channel
from mcport.session.exchange import Exchange, Outlet
from mcport.session.loop import Loop

from .wire import Wire


class Introduction(Record):
    """What a server says of itself to people: each tool that everybody sees by its name."""

    title: str
    version: str
    text: str
    tools: Mapping[str, str]


class Busy(Protocol):
    """A connection, as far as it matters to whoever would end it."""

    @property
    def busy(self) -> bool:
        """Whether requests of the client run."""
        ...


class Service(Protocol):
    """One server. `offer` is what it says of itself, `limits` are the bounds that it keeps."""

    name: str
    offer: Offer
    limits: Limits

    async def enter(self, loop: Loop) -> Any:
        """Begin to be served in a loop: join the life of the server there, or begin it; raises what it raises."""
        ...

    async def leave(self) -> None:
        """The same loop serves no more."""
        ...

    def introduction(self) -> Introduction:
        """Return what people may know who open the endpoint in a browser."""
        ...

    def converse(self, life: Any) -> Conversation:
        """Return a new conversation in a life that was entered."""
        ...

    async def answer(self, exchange: Exchange) -> object:
        """Answer a request (`session.exchange.Answer`)."""
        ...

    async def serve(
        self, channel: Channel, loop: Loop, *, connected: Callable[[Busy], None], mark: Callable[[Exchange], None]
    ) -> None:
        """Serve one client over a stream of messages until it is gone.

        `connected` is handed the connection before it begins; `mark` says of each request what came with it.
        """
        ...

    def runs_through(self, asked: Asked) -> bool:
        """Whether nothing is known for which answering a request has to wait."""
        ...

    def hear(self, conversation: Conversation, outlet: Outlet) -> None:
        """From now on tell a session of changes, on this outlet; what it follows is read anew each time."""
        ...

    def unhear(self, conversation: Conversation) -> None:
        """Tell a session of nothing more. Harmless where it was told nothing."""
        ...

    def missed(self, conversation: Conversation) -> None:
        """Tell a session of all that may have changed: something may have gone unheard."""
        ...

    def told(self, event: Told, conversation: Conversation, loop: Loop) -> None:
        """Take a notification of a client; never waits."""
        ...

    @property
    def resource(self) -> str | None:
        """The public URL of the endpoint, as tokens name it; None where none are wanted."""
        ...

    @property
    def gated(self) -> bool:
        """Whether requests need to say on whose behalf they come."""
        ...

    def remembered(self, wire: Wire) -> str | None:
        """Return on whose behalf a request comes whose token was judged a moment ago; None: ask `admit`."""
        ...

    async def admit(self, wire: Wire, method: str, place: str) -> str:
        """Return on whose behalf a request comes, to a path beside the endpoint or, if it is empty, the endpoint.

        Raises `Refused` for one that is not let in.
        """
        ...

    def expired(self, principal: str | None) -> bool:
        """Return whether what a stream was opened with is good no more, so that nothing more may be told there."""
        ...

    def check(self, principal: str | None, message: Decoded) -> None:
        """Raise `Refused` where more has to be granted for what was posted."""
        ...

    def documents(self) -> Mapping[str, bytes]:
        """Return what everybody may read, by its path at the server's origin: how tokens are got."""
        ...

    def named(self) -> Mapping[str, str]:
        """Return which member of the parameters `Mcp-Name` repeats, by method."""
        ...

    def mirrors(self, tool: str) -> Sequence[Mirror]:
        """Return which arguments of a tool are repeated in headers."""
        ...
