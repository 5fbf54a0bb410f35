"""A grant: one way to tokens, once it is known which authorization server has them.

`Grant` is the port. What discovery found comes in as `Found`, what every request needs as `Desk`; `request_tokens` is
the one way to a token endpoint, whatever is shown there. Below: `metadata`, `identity`, `tokens`, `presenting`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Protocol, runtime_checkable
from urllib.parse import urlencode

from mcport.record import Record

from .identity import Identity
from .judging import Unfit, shown
from .metadata import ServerMetadata
from .presenting import Presenting
from .scopes import Scopes
from .steps import FORM, Answer, Ask, Given, Steps, Trail
from .tokens import Tokens, Wanted, read_tokens

_SECRET: Final = ("code", "code_verifier", "refresh_token", "client_secret", "assertion", "client_assertion")
_CODE: Final = re.compile(r"[a-z0-9_.-]{1,64}")


class Found(Record):
    """What discovery has found for a server: what tokens are asked for, at which authorization server, and for what.

    `server` and `resource` are canonical URIs; `scopes` are those to ask for, None to name none.
    """

    server: str
    resource: str
    metadata: ServerMetadata
    scopes: Scopes | None


class Desk(Record):
    """What is at hand wherever requests are made."""

    trail: Trail
    given: Given
    presenting: Presenting


@runtime_checkable
class Grant(Protocol):
    """One way to tokens.

    `issuer` is the only authorization server that its credentials are for, None if it takes any. `for_user` says
    whether it acts for a person: only then are more scopes asked for than were at first.
    """

    @property
    def issuer(self) -> str | None: ...

    @property
    def for_user(self) -> bool: ...

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        """Get new tokens. Raises `Unfit`."""
        ...

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        """Return the identity that tokens were given to, for refreshing them; None if it is known no more."""
        ...


def scope_of(found: Found) -> dict[str, str]:
    """Return the parameter that names the scopes to ask for, if any are named."""
    return {"scope": " ".join(found.scopes)} if found.scopes else {}


def wanted(found: Found, identity: Identity, desk: Desk, scopes: Scopes | None = None) -> Wanted:
    """Return what a token request is for. Raises `Unfit` where there is no token endpoint."""
    metadata, endpoint = found.metadata, found.metadata.endpoint("token_endpoint")
    asked = scopes or found.scopes
    whose = identity.client_id, identity.method
    return Wanted(metadata.issuer, endpoint, *whose, found.resource, asked, desk.presenting.kind)


def request_tokens(wanted: Wanted, form: dict[str, str], identity: Identity, desk: Desk) -> Steps[Tokens]:
    """Ask a token endpoint and return what it gives; the resource goes with every request. Raises `Unfit`."""
    grant = form["grant_type"]
    proof, form = identity.authenticated({**form, "resource": wanted.resource})
    answer = yield from _posted(wanted.endpoint, grant, proof, urlencode(form).encode(), desk)
    document = answer.document()
    if answer.status != 200:
        raise refused("token request", answer, [form[name] for name in _SECRET if name in form])
    if document is None:
        raise Unfit("token_endpoint", f"{wanted.endpoint} answered with no JSON object")
    return read_tokens(document, wanted, desk.given.now())


def _posted(url: str, grant: str, proof: dict[str, str], body: bytes, desk: Desk) -> Steps[Answer]:
    """POST a form, once more where the answer asks for another proof of possession."""
    for _ in range(2):
        headers = {**FORM, **proof, **desk.presenting.for_tokens(url, desk.given)}
        desk.trail.note(f"asking for tokens: {grant}")
        answer = yield from desk.trail.ask(Ask("token_endpoint", url, "POST", headers, body))
        if not desk.presenting.heard(url, answer) or answer.status == 200:
            break
    return answer


def refused(parameter: str, answer: Answer, secrets: Iterable[str] = ()) -> Unfit:
    """Return why a request was refused, by the error that the answer brings (RFC 6749, section 5.2).

    A description that repeats one of the `secrets` that were sent is left out.
    """
    document = answer.document() or {}
    said, description = document.get("error"), document.get("error_description")
    error = said if isinstance(said, str) and _CODE.fullmatch(said) else None
    words = error
    if error and isinstance(description, str) and not any(each in description for each in secrets):
        words = f"{error}: {shown(description)}"
    passing = error is None and (answer.status >= 500 or answer.status == 429)
    return Unfit(
        parameter, f"answered {answer.status}" + (f" ({words})" if words else ""), error=error, passing=passing
    )
