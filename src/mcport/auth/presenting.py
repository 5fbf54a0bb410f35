"""How a token is presented, and what proves to be its holder: bearer tokens, which need no proof.

`Presenting` is the port for ways that do need one: each request carries headers of its own, an answer may ask for
another one, and is heard in any case. Below: `steps`, `tokens`.
"""

from __future__ import annotations

from typing import Protocol

from .steps import Answer, Given
from .tokens import Tokens


class Presenting(Protocol):
    """Makes the headers of requests that present or ask for a token. `kind` is the type of token that it wants."""

    kind: str

    def for_tokens(self, url: str, given: Given) -> dict[str, str]:
        """Return the headers that a POST to a token endpoint has besides."""
        ...

    def for_server(self, method: str, url: str, tokens: Tokens, given: Given) -> dict[str, str]:
        """Return the headers that present a token with one request to the server; made anew for every request."""
        ...

    def heard(self, url: str, answer: Answer) -> bool:
        """Take in what an answer says to whoever presents; return whether the same request is worth a second try."""
        ...


class Bearer:
    """Whoever has the token may use it (RFC 6750): it goes into the header, and nowhere else."""

    kind = "Bearer"

    def for_tokens(self, url: str, given: Given) -> dict[str, str]:
        return {}

    def for_server(self, method: str, url: str, tokens: Tokens, given: Given) -> dict[str, str]:
        return {"authorization": f"{self.kind} {tokens.access.reveal()}"}

    def heard(self, url: str, answer: Answer) -> bool:
        return False


def presenting_of(dpop: Presenting | bool) -> Presenting:
    """Return how tokens are presented: as bearer tokens, or bound to a key."""
    if dpop is False:
        return Bearer()
    if dpop is True:
        from .dpop import DPoP

        return DPoP()
    return dpop
