"""Tokens: the answer of a token endpoint read, how long it is good, and how it is stored.

Times are the wall clock's, in seconds, so that a token that was stored is known to be old after a restart. (2026-07-28
basic/authorization "Refresh Tokens", RFC 6749 section 5.) Below: `secret`, `scopes`, `judging`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record, changed

from .judging import Unfit, shown, text_of
from .scopes import Scopes, named_in
from .secret import Secret

VERSION: Final = 1
"""Of the form in which tokens are stored."""

EARLY_SECONDS: Final = 30.0
"""So long before its end a token is renewed; one that lives shorter than two minutes, a quarter of its life before."""


class Tokens(Record):
    """What an authorization server gave for one server.

    They belong to `issuer` and to the client `client_id`, which proved itself by `method`. `endpoint` is where they
    were given and are refreshed, `resource` what they were asked for. `expires` is None where nobody said. `asked` are
    the scopes that were asked for, `granted` those that were given.
    """

    issuer: str
    endpoint: str
    client_id: str
    method: str
    resource: str
    access: Secret
    refresh: Secret | None
    kind: str
    obtained: float
    expires: float | None
    asked: Scopes | None
    granted: Scopes | None

    def fresh(self, now: float) -> bool:
        """Whether the access token is still good, and for a little longer."""
        if self.expires is None:
            return True
        early = min(EARLY_SECONDS, (self.expires - self.obtained) / 4)
        return now < self.expires - early

    def refreshed_by(self, later: Tokens) -> Tokens:
        """Return what a refresh brings: whatever it does not say stays as it was (RFC 6749, section 6)."""
        return changed(later, refresh=later.refresh or self.refresh, asked=self.asked)


class Wanted(Record):
    """What a token request is for, and so what its answer is held against."""

    issuer: str
    endpoint: str
    client_id: str
    method: str
    resource: str
    scopes: Scopes | None
    kind: str


def read_tokens(document: JsonObject, wanted: Wanted, now: float) -> Tokens:
    """Read the answer of a token endpoint. Raises `Unfit`, never with a token in it."""
    access, kind = text_of(document, "access_token"), text_of(document, "token_type")
    if not access or not (access.isascii() and access.isprintable() and " " not in access):
        raise Unfit("access_token", "is missing" if not access else "has characters that no token has")
    if (kind or "").lower() != wanted.kind.lower():
        raise Unfit("token_type", f"is {shown(str(kind))!r}, where {wanted.kind!r} was asked for")
    refresh, lifetime = text_of(document, "refresh_token"), seconds_of(document.get("expires_in"))
    granted = named_in(text_of(document, "scope")) or wanted.scopes
    return Tokens(
        wanted.issuer,
        wanted.endpoint,
        wanted.client_id,
        wanted.method,
        wanted.resource,
        Secret(access),
        Secret(refresh) if refresh else None,
        wanted.kind,
        now,
        None if lifetime is None else now + lifetime,
        wanted.scopes,
        granted,
    )


def seconds_of(said: object) -> float | None:
    """Return a lifetime, which some servers say as a string; None if none is said. Raises `Unfit`."""
    if said is None:
        return None
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 12:
        return float(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1e11:
        raise Unfit("expires_in", "is a number of seconds")
    return float(said)


# ---- as they are stored


def dumped(tokens: Tokens) -> str:
    """Return tokens as they are stored."""
    record: dict[str, Any] = {each: getattr(tokens, each) for each in Tokens.__match_args__}
    record["access"] = tokens.access.reveal()
    record["refresh"] = None if tokens.refresh is None else tokens.refresh.reveal()
    return json.dumps({"version": VERSION, **record})


def loaded(text: str | None) -> Tokens | None:
    """Return tokens that were stored; None where there are none, or some of a form that is not known here."""
    try:
        record = json.loads(text or "null")
        if record is None or record.pop("version") != VERSION:
            return None
        access, refresh = Secret(record.pop("access")), record.pop("refresh")
        asked, granted = _scopes(record.pop("asked")), _scopes(record.pop("granted"))
        return Tokens(
            **record, access=access, refresh=Secret(refresh) if refresh else None, asked=asked, granted=granted
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _scopes(stored: list[str] | None) -> Scopes | None:
    return None if stored is None else tuple(stored)
