"""Tokens that are bound to a key (RFC 9449): every request proves that its sender has it.

A proof is made anew for each request. A server may want a number of its own in it (a nonce), which it tells with an
answer, and each origin has its own. (Extension `io.modelcontextprotocol/auth/dpop`.) Below: `presenting`, `proof`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from . import challenge, jose, proof
from .steps import Answer, Given
from .tokens import Tokens
from .urls import origin_of

ID_BYTES: Final = 16
WANTS_NONCE: Final = "use_dpop_nonce"

_LONGEST_NONCE: Final = 1024


class DPoP:
    """Presents tokens that are bound to a key: a private JSON Web Key, of the kind that the algorithm takes.

    Without a key a new one is made. Tokens are worth nothing without their key, so that who wants to use them again
    after a restart keeps it as secret as them.
    """

    kind = "DPoP"

    def __init__(self, key: Mapping[str, Any] | None = None, algorithm: str = "ES256") -> None:
        jose.check_installed()
        self.key = dict(key) if key is not None else jose.new_key(algorithm)
        self._algorithm = algorithm
        self._nonces: dict[str, str] = {}
        jose.public_key(self.key, algorithm)  # refuses what is none

    @property
    def thumbprint(self) -> str:
        """What tokens say of the key that they are bound to."""
        return jose.thumbprint(self.key)

    def for_tokens(self, url: str, given: Given) -> dict[str, str]:
        return {"dpop": self._proof("POST", url, given)}

    def for_server(self, method: str, url: str, tokens: Tokens, given: Given) -> dict[str, str]:
        token = tokens.access.reveal()
        bound = self._proof(method, url, given, proof.digest_of(token))
        return {"authorization": f"{self.kind} {token}", "dpop": bound}

    def heard(self, url: str, answer: Answer) -> bool:
        """Remember the number that an answer wants in the next proof; return whether it wants it in this one."""
        nonce = answer.headers.get("dpop-nonce")
        if nonce is None or not 0 < len(nonce) <= _LONGEST_NONCE:
            return False
        origin = origin_of(url)
        is_new = self._nonces.get(origin) != nonce
        self._nonces[origin] = nonce
        return is_new and _wants_nonce(answer)

    def _proof(self, method: str, url: str, given: Given, digest: str | None = None) -> str:
        id = urlsafe_b64encode(given.random(ID_BYTES)).rstrip(b"=").decode()
        nonce = self._nonces.get(origin_of(url))
        return proof.make(self.key, self._algorithm, (method, url), id=id, now=given.now(), nonce=nonce, ath=digest)


def _wants_nonce(answer: Answer) -> bool:
    """Whether a request was refused for want of a number alone (RFC 9449, sections 8 and 9)."""
    if answer.status == 401:
        found = challenge.find(challenge.read([answer.headers.get("www-authenticate", "")]), "dpop")
        return found is not None and found.params.get("error") == WANTS_NONCE
    return answer.status == 400 and (answer.document() or {}).get("error") == WANTS_NONCE
