"""The door of the stateless era: a POST is answered in the task in which it came, or without one.

No session, no queue, no other task, unless something is said before the answer, or it takes long. Below: `turn`,
`core.peer`.
"""

from __future__ import annotations

from typing import TypeAlias

from mcport.core.dialects.contract import Admitted
from mcport.core.events import Asked
from mcport.core.jsonrpc import JsonObject, Request, encode
from mcport.core.peer import Peer

from .residence import Residence
from .service import Service
from .turn import StatelessTurn
from .wire import Wire

Judged: TypeAlias = tuple[JsonObject, Admitted]
"""What a request said of itself, and what came of it (`Conversation.latest`)."""


class StatelessDoor:
    """Serves the requests of one app that say everything themselves."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._latest: Judged | None = None

    async def post(self, request: Request, wire: Wire, residence: Residence) -> None:
        """Answer one request."""
        peer = Peer()
        asked = peer.receive(request)
        if type(asked) is not Asked:
            reply = asked.reply  # type: ignore[union-attr]
            await wire.answer(400, b"" if reply is None else encode(reply))
            return
        turn = StatelessTurn(asked, peer, wire, residence, self._service)
        turn.conversation.latest = self._latest  # most requests say the same of themselves, whoever sends them
        if not self._service.runs_through(asked):
            await wire.may_wait()
        turn.exchange.taskless = wire.taskless
        await turn.serve()
        self._latest = turn.conversation.latest
