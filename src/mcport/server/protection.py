"""Who may ask a server over HTTP, and for what: its gate, if it has one, and the scopes of what it offers.

Over other transports nobody is asked: whoever starts a process may use it (basic/authorization "Protocol
Requirements"). Together with `web` it speaks for the server to HTTP. Below: `offering.scoped`, `auth.bearer`,
`transports.http.server`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mcport.core.jsonrpc import Decoded, dump
from mcport.core.principal import Principal
from mcport.transports.http.server.wire import Refused, Wire

from .offering.scoped import Scoped

if TYPE_CHECKING:
    from mcport.auth.bearer.bearer import BearerAuth

_SECRET: Final = ("authorization", "dpop")
"""What of a request its handlers are not shown: a token that they know they might hand on."""


class Protection:
    """Judges the requests to one server."""

    def __init__(self, auth: BearerAuth | None, scoped: Scoped) -> None:
        self._auth = auth
        self._scoped = scoped
        self.gated = auth is not None
        self.resource = None if auth is None else auth.resource

    def documents(self) -> Mapping[str, bytes]:
        """Return what says how tokens are got, by its path."""
        return {} if self._auth is None else dict.fromkeys(self._auth.paths, dump(self._auth.document))

    def remembered(self, wire: Wire) -> str | None:
        """Return on whose behalf a request comes, if its token was judged a moment ago and needs no more than that."""
        assert self._auth is not None
        principal = self._auth.remembered(wire.all_of("authorization"))
        if principal is not None:
            _hide(wire)
        return principal

    async def admit(self, wire: Wire, method: str, place: str) -> str:
        """Return on whose behalf a request comes. Raises `Refused`."""
        from mcport.auth.bearer.bearer import Knock
        from mcport.auth.bearer.denied import Denied

        assert self._auth is not None
        knock = Knock(method, place, wire.all_of("authorization"), wire.all_of("dpop"))
        try:
            principal = await self._auth.admit(knock)
        except Denied as denied:
            raise Refused(denied.status, denied.line, denied.headers) from None
        _hide(wire)
        return principal

    def expired(self, principal: str | None) -> bool:
        """Whether what a stream was opened with is good no more."""
        return self._auth is not None and isinstance(principal, Principal) and self._auth.expired(principal)

    def check(self, principal: str | None, message: Decoded) -> None:
        """Raise `Refused` (403) for what needs scopes that were not granted."""
        needed = self._scoped.needed(message)
        if not needed:
            return
        known = None if principal is None else Principal.of(principal)
        if self._auth is None:
            if known is None or not known.may(*needed):
                raise Refused(403, f"this needs the scopes {' '.join(needed)}")
            return
        from mcport.auth.bearer.denied import Denied

        try:
            self._auth.check(known, needed)
        except Denied as denied:
            raise Refused(denied.status, denied.line, denied.headers) from None


def _hide(wire: Wire) -> None:
    wire.headers = {name: value for name, value in wire.headers.items() if name not in _SECRET}
