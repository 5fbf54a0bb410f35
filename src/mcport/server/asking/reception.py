"""The reception: all that a server keeps of asking back until somebody asks for the first time.

Most servers never ask, so that the desk and what sits below it are loaded by whoever needs it first. Below: `desk`,
`stores.seal`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from mcport.spec.methods import METHODS
from mcport.stores.notices import About, Notices

from .patience import Patience

if TYPE_CHECKING:
    from mcport.session.exchange import Answer
    from mcport.stores.seal import Seal
    from mcport.stores.values import Store

    from .desk import Desk


class Reception:
    """Leads to the desk of one server, from any thread. `state_bytes` bounds what a client is given to carry.

    The kernel sets `instead`, which answers for a run that was stopped and does not end; the server sets `asking`, the
    methods that the protocol does not have and that may ask.

    Raises ValueError for a key of the seal that is too short.
    """

    instead: Answer
    asking: Container[str] = ()

    def __init__(
        self,
        server: str,
        key: bytes | Sequence[bytes] | None,
        patience: Patience,
        store: Store | None,
        state_bytes: int,
        notices: Notices,
    ) -> None:
        self._server = server
        self._seal = None if key is None else _seal(key)
        self._patience = patience
        self._store = store
        self._state_bytes = state_bytes
        self.notices: Notices = About(notices, "elicitations")
        """News of elicitations between the processes that serve the same clients."""
        self._desk: Desk | None = None
        self._lock = Lock()

    @property
    def desk(self) -> Desk:
        """The desk, one and the same for everybody."""
        return self._desk or self._opened()

    def may_ask(self, method: str) -> bool:
        """Whether what serves a method may ask the client back."""
        known = METHODS.get(method)
        return method in self.asking if known is None else bool(known.may_ask)

    def complete(self, elicitation_id: str) -> bool:
        """Tell the client of an elicitation that it is complete; return whether it was asked in this process.

        Where it was not, the other processes are told, one of which may have asked.
        """
        if self._desk is not None and self._desk.elicitations.complete(elicitation_id):
            return True
        self.notices.publish(elicitation_id.encode())
        return False

    def _opened(self) -> Desk:
        from .desk import Desk

        with self._lock:
            if self._desk is None:
                seal = self._seal or _seal(None)
                self._desk = Desk(self._server, seal, self._patience, self._store, self._state_bytes, self)
            return self._desk


def _seal(key: bytes | Sequence[bytes] | None) -> Seal:
    from mcport.stores.seal import Seal

    return Seal(key)
