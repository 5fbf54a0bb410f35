"""What a handler needs of its client, checked before it runs; decided when the handler is registered.

Below: `core.asking.capabilities`, `calling`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcport.core.asking.capabilities import check_need, demand
from mcport.core.dialects.contract import Admitted
from mcport.server.handling.calling import Call
from mcport.server.signature import Signature
from mcport.session.exchange import Exchange


class Needing:
    """Calls a handler for clients that declared everything in `needs`; raises `MissingCapability` for others."""

    def __init__(self, call: Call, needs: Sequence[str]) -> None:
        self._call = call
        self._needs = needs

    async def __call__(
        self,
        function: Callable[..., Any],
        signature: Signature,
        arguments: dict[str, Any],
        exchange: Exchange,
        admitted: Admitted,
    ) -> Any:
        demand(admitted.client_capabilities, self._needs, admitted.revision, signature.name)
        return await self._call(function, signature, arguments, exchange, admitted)


def needing(call: Call, needs: str | Sequence[str]) -> Call:
    """Return what calls a handler that needs something. Raises ValueError for what no client can declare."""
    names = (needs,) if not isinstance(needs, list | tuple | set | frozenset) else tuple(needs)
    try:
        for need in names:
            check_need(need)
    except ValueError as error:
        raise ValueError(f"needs: {error}") from None
    return Needing(call, names) if names else call
