"""Requests with the tokens of a grant that needs no person at a browser: of a program, a workload, or a company.

Below: `client`, and the rooms of the grants.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcport.stores.tokens import MemoryTokens, TokenStore

from .client import Authorized
from .driver import Means
from .flow import Policy
from .grant import Grant
from .person import Manners
from .presenting import Presenting, presenting_of


class Granted(Authorized):
    """Sends requests with tokens that a grant gets; `Client(url, auth=grant)` is the same without further options.

        Client(url, auth=Granted(ClientCredentials(issuer, "robot", client_secret=secret), scopes=["notes:read"]))

    `scopes` are wanted besides what the server asks for. With `dpop`, a `DPoP` or True for a new key, tokens are bound
    to a key. `store` keeps tokens, in memory unless it is given, for each `profile` its own. Documents of a server lead
    to private networks only with `allow_private`. Works in an `httpx.AsyncClient` as well.
    """

    def __init__(
        self,
        grant: Grant,
        *,
        scopes: Sequence[str] = (),
        dpop: Presenting | bool = False,
        store: TokenStore | None = None,
        profile: str = "",
        allow_private: bool = False,
    ) -> None:
        means = Means(MemoryTokens() if store is None else store, Manners(), allow_private)
        super().__init__(grant, presenting_of(dpop), means, Policy(profile, tuple(scopes) or None))
