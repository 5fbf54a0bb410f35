"""Grants for programs that act for nobody but themselves: with credentials of their own, or as the workload they are.

(Extensions `io.modelcontextprotocol/oauth-client-credentials` and `io.modelcontextprotocol/auth/wif`.) No browser, no
registration, and no second try in another way. Below: `grant`, `identity`, `assertions`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import anyio

from .assertions import BEARER_GRANT, SigningKey, Source, brought
from .grant import Desk, Found, request_tokens, scope_of, wanted
from .identity import BASIC, Identity, identity_of
from .judging import Unfit
from .steps import Steps
from .tokens import Tokens

KEY_METHOD: Final = "private_key_jwt"


class ClientCredentials:
    """Gets tokens with the credentials of a program: a secret, or a key with which it signs (RFC 6749 4.4, RFC 7523).

    They belong to the authorization server `issuer` and go to no other, whatever a server says that it trusts; with
    None they go wherever a server sends them, which is for servers of one's own. With `steps_up` the program asks for
    more scopes where a server wants them; otherwise that is an error.
    """

    def __init__(
        self,
        issuer: str | None,
        client_id: str,
        *,
        client_secret: str | None = None,
        key: SigningKey | None = None,
        steps_up: bool = False,
    ) -> None:
        if (client_secret is None) == (key is None):
            raise ValueError("client credentials are either client_secret= or key=")
        if not client_id or client_secret == "":
            raise ValueError(
                f"{'client_secret' if client_id else 'client_id'} is empty: is it set where it comes from?"
            )
        self.issuer = issuer
        self.for_user = steps_up
        self._identity = identity_of(client_id, client_secret)
        self._key = key

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        method = BASIC if self._key is None else KEY_METHOD
        taken = found.metadata.token_auth_methods
        if taken is not None and method not in taken:
            raise Unfit("token_endpoint_auth_methods_supported", f"does not list {method}")
        identity = self._identity
        form = {"grant_type": "client_credentials", **scope_of(found)}
        if self._key is not None:
            form |= self._key.form(identity.client_id, found.metadata.issuer, desk.given)
        return (yield from request_tokens(wanted(found, identity, desk), form, identity, desk))

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        """Such tokens are not refreshed: the credentials get new ones."""
        yield from ()
        return None


class WorkloadIdentity:
    """Gets tokens with what the platform says of this program: a file that it renews, or a function that asks it.

    The statement goes to the authorization server `issuer` alone (None: to any that a server names), and whatever that
    answers is final. `client_id` is for authorization servers that want one.
    """

    for_user = False

    def __init__(self, issuer: str | None, source: Source | str | Path, *, client_id: str = "") -> None:
        self.issuer = issuer
        self._source = source if callable(source) else from_file(source)
        self._identity = Identity(client_id)

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        assertion = yield from brought("assertion", "the statement of this workload", self._source)
        form = {"grant_type": BEARER_GRANT, "assertion": assertion, **scope_of(found)}
        return (yield from request_tokens(wanted(found, self._identity, desk), form, self._identity, desk))

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        """Such tokens are not refreshed: the platform says anew who this is."""
        yield from ()
        return None


def from_file(path: str | Path) -> Source:
    """Return a source that reads a file each time."""

    async def read() -> str:
        return await anyio.Path(path).read_text(encoding="ascii")

    return read
