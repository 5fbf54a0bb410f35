"""What a token claims, and whether it is for this server, now (RFC 9068 4, RFC 7662 2.2).

The same rules for what was signed and for what an issuer was asked. It knows neither keys nor clocks. Below:
`auth.resource`, `auth.judging`, `core.principal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mcport.auth.judging import shown
from mcport.auth.resource import canonical
from mcport.core.principal import LEEWAY, Principal

_KINDS: Final = (None, "jwt", "at+jwt", "application/at+jwt", "application/jwt")
"""What an access token may call itself: identity tokens, proofs and assertions have other names, if any."""


class BadClaims(ValueError):
    """A token is not for this server, or not now; the message says which, and nothing that the token says.

    `detail` is for this server's log: what was said and what is set, where the two may be meant to be the same.
    """

    def __init__(self, line: str, detail: str = "") -> None:
        super().__init__(line)
        self.detail = detail


def check_kind(header: Mapping[str, Any]) -> None:
    """Refuse what was signed for another purpose than access. Raises `BadClaims`."""
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _KINDS:
        raise BadClaims("it is no access token")


def check_issuer(claims: Mapping[str, Any], issuer: str, *, said: bool = True) -> None:
    """Refuse what another issuer says; with `said`, the token has to name it. Raises `BadClaims`."""
    named = claims.get("iss")
    if named != issuer and (said or named is not None):
        raise BadClaims("it comes from another issuer", f"iss is {_said(named)}, and issuer= is {issuer!r}")


def check_audience(claims: Mapping[str, Any], audiences: Iterable[str], *, said: bool = True) -> None:
    """Refuse what is meant for another server; with `said`, the token has to name this one. Raises `BadClaims`."""
    named = claims.get("aud")
    if named is None and not said:
        return
    meant = [named] if isinstance(named, str) else named
    names = [*audiences]
    wanted = {_form(each) for each in names}
    if not isinstance(meant, list) or not any(isinstance(each, str) and _form(each) in wanted for each in meant):
        raise BadClaims("it is for another server", f"aud is {_said(named)}, and this one is {' or '.join(names)!r}")


def check_time(claims: Mapping[str, Any], now: float, *, said: bool = True) -> float | None:
    """Return when a token expires; with `said` it has to say so. Raises `BadClaims` if it is over, or has not begun."""
    ends = _moment(claims, "exp")
    if ends is None and said:
        raise BadClaims("it does not say when it expires")
    if ends is not None and ends + LEEWAY <= now:
        raise BadClaims("it has expired")
    begins = _moment(claims, "nbf")
    if begins is not None and begins - LEEWAY > now:
        raise BadClaims("it is not valid yet")
    return ends


def principal_of(claims: Mapping[str, Any], issuer: str, expires_at: float | None) -> Principal:
    """Return on whose behalf a token speaks. Raises `BadClaims` if it names nobody."""
    client = claims.get("client_id", claims.get("azp"))
    subject = claims.get("sub", client)
    if not isinstance(subject, str) or not subject:
        raise BadClaims("it names nobody")
    return Principal(
        subject,
        issuer=issuer,
        client_id=client if isinstance(client, str) else None,
        scopes=_scopes(claims.get("scope", claims.get("scp"))),
        claims=claims,
        expires_at=expires_at,
    )


def _scopes(said: object) -> list[str]:
    if isinstance(said, str):
        return said.split()
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadClaims(f"its {name} is no time")
    return float(value)


def _said(value: object) -> str:
    """Return what a token says, short, as the log may show it."""
    return shown(repr(value))


def _form(name: str) -> str:
    """Return an audience in the form in which two are compared; what is no URL stands as it is."""
    try:
        return canonical(name).rstrip("/")
    except ValueError:
        return name
