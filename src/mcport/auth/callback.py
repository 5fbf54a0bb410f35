"""What a browser brings back from an authorization server: whether it belongs to what was asked, and the code in it.

(2026-07-28 basic/authorization "Authorization Response Validation", RFC 9207.) Whose answer it is comes before anything
else that it says. Below: `judging`, `secret`.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qsl

from mcport.record import Record

from .judging import Unfit, shown
from .secret import Secret

MOST_SECONDS: Final = 600.0
"""How long a person may take to log in, at most."""


class Pending(Record):
    """One authorization request that is out: what its answer is held against, and what redeems the code.

    `issuer` is that of the validated metadata, `says_issuer` whether the server has promised to name itself.
    """

    state: Secret
    verifier: Secret
    issuer: str
    says_issuer: bool
    redirect_uri: str
    began: float


def code_of(query: str, pending: Pending, now: float) -> Secret:
    """Return the code that an authorization response brings. Raises `Unfit` for one that is not the answer."""
    found = _parameters(query)
    if not compare_digest(found.get("state", "").encode(), pending.state.reveal().encode()):
        raise Unfit("state", "is not the one that was sent, so this is the answer to something else")
    if now - pending.began > MOST_SECONDS:
        raise Unfit("state", f"is older than {MOST_SECONDS:g} s")
    _check_issuer(found.get("iss"), pending)
    if "error" in found:
        raise _refused(found)
    if not found.get("code"):
        raise Unfit("code", "is missing")
    return Secret(found["code"])


def _parameters(query: str) -> dict[str, str]:
    """Read the query, form decoded and no further; what comes twice is in doubt."""
    pairs = parse_qsl(query, keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unfit("state", "the answer has a parameter twice")
    return found


def _check_issuer(issuer: str | None, pending: Pending) -> None:
    """Compare character by character: nothing is folded, cut off or decoded once more."""
    if issuer is None:
        if pending.says_issuer:
            raise Unfit("iss", f"is missing, and {shown(pending.issuer)} says that it always sends it")
    elif issuer != pending.issuer:
        raise Unfit("iss", f"the answer is from {shown(issuer)!r}, and {shown(pending.issuer)!r} was asked")


def _refused(found: dict[str, str]) -> Unfit:
    error, description = shown(found["error"]), shown(found.get("error_description", ""))
    return Unfit("authorization", f"{error}: {description}" if description else error, error=error)
