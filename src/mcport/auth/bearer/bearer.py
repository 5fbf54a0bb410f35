"""`Server(auth=BearerAuth(...))`: who is let in over HTTP, and what others are told.

A resource server of OAuth 2.1 (2026-07-28 basic/authorization): tokens come in one header, are for this server, and are
never handed on. It knows no HTTP server; what it is asked is one question a request. Below: the other rooms here.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import urljoin

from mcport.auth import challenge
from mcport.auth.judging import Unfit
from mcport.auth.urls import judged
from mcport.core.principal import Principal, check_scopes
from mcport.stores.values import MemoryStore, Store

from . import published
from .denied import Denied, Unverifiable
from .hierarchy import Hierarchy
from .known import Known
from .presented import Malformed, Presented, read
from .verifying import Verifier

if TYPE_CHECKING:
    from .proofs import Proofs

log: Final = logging.getLogger("mcport.auth")

RETRY_SECONDS: Final = 5


class Knock(NamedTuple):
    """A request as far as the gate looks at it: two of its headers, and its path if it is not the endpoint's."""

    method: str
    place: str
    authorization: Sequence[str]
    proofs: Sequence[str]


class BearerAuth:
    """The gate of a server over HTTP: requests need a token that an authorization server issued for this one.

    `resource` is the public URL of the endpoint, as clients write it: tokens are for it, and behind a proxy nobody else
    could know it. `issuer` names the authorization server, or several, whose tokens are taken. Without a `verifier`
    their tokens are signed JWTs, verified with the keys that they publish (needs `mcport[auth]`).

    `scopes` are needed for everything; tools, resources and prompts may need more (`@server.tool(scopes=...)`).
    `scopes_supported` is what clients are told that they may ask for. `contains` says which scopes are part of another:
    `{"admin": ["read", "write"]}`.

    `dpop` lets clients bind their tokens to a key (RFC 9449), and "required" wants every one of them to; `store` is
    where it is remembered which proofs were used, of all workers if there are several.

    `remember` is for how many seconds a good token is not judged again. `name` and `documentation` (a URL) are for
    people. `allow_private` lets the issuer be in a private network.

    Raises ValueError or TypeError for what cannot be, ModuleNotFoundError where `mcport[auth]` is needed and missing.
    See basic/authorization of the specification.
    """

    def __init__(
        self,
        resource: str,
        *,
        issuer: str | Sequence[str],
        verifier: Verifier | None = None,
        scopes: str | Sequence[str] = (),
        scopes_supported: Sequence[str] | None = None,
        contains: Mapping[str, Iterable[str]] | None = None,
        dpop: Literal[False, True, "required"] = False,
        store: Store | None = None,
        remember: float = 60.0,
        name: str | None = None,
        documentation: str | None = None,
        allow_private: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        issuers = _issuers(issuer)
        _check(resource, issuers)
        _check_options(verifier, dpop, remember)
        self.resource = resource
        self.scopes = check_scopes(scopes)
        supported = self.scopes if scopes_supported is None else check_scopes(scopes_supported)
        self._hierarchy = Hierarchy(contains or {})
        self._verifier = verifier or _of_issuers(issuers, resource, allow_private)
        self._known = Known(remember)
        self._now = now
        self._dpop = dpop
        self._proofs = _proofs(store or MemoryStore()) if dpop else None
        self.document = published.document(
            resource,
            issuers,
            supported,
            dpop_signing_alg_values_supported=[*_algorithms()] if dpop else None,
            dpop_bound_access_tokens_required=dpop == "required",
            resource_name=name,
            resource_documentation=documentation,
        )

    # ---- what the endpoint asks

    @property
    def paths(self) -> Sequence[str]:
        """Where the document is served that says how tokens are got."""
        return (published.path_of(self.resource),)

    def remembered(self, authorization: Sequence[str]) -> Principal | None:
        """Return on whose behalf a request comes if nothing is to be waited for to know it; None: ask `admit`."""
        if self._dpop or len(authorization) != 1:
            return None
        scheme, _, token = authorization[0].partition(" ")
        return self._known.get(token, self._now()) if scheme in ("Bearer", "bearer") else None

    async def admit(self, knock: Knock) -> Principal:
        """Return on whose behalf a request comes. Raises `Denied`."""
        presented = self._presented(knock)
        now = self._now()
        known = self._known.get(presented.token, now)
        principal = known or await self._verified(presented.token)
        await self._check_binding(presented, principal, knock, now)
        self.check(principal, ())
        if known is None:  # else it would never be judged again as long as it is used
            self._known.keep(presented.token, principal, now)
        return principal

    def check(self, principal: Principal | None, scopes: Iterable[str]) -> None:
        """Refuse whoever was not granted these scopes, and those that everything needs. Raises `Denied` (403)."""
        needed = dict.fromkeys([*self.scopes, *scopes])
        granted = self._hierarchy.expanded(principal.scopes if principal is not None else ())
        if not granted.issuperset(needed):
            line = f"this needs the scopes {' '.join(needed)}"
            raise Denied(403, line, self._challenges("insufficient_scope", line, needed))

    def expired(self, principal: Principal) -> bool:
        """Return whether the token that spoke for somebody is good no more, so that no stream may go on for it."""
        return principal.over(self._now())

    # ---- the token

    def _presented(self, knock: Knock) -> Presented:
        try:
            presented = read(knock.authorization, knock.proofs)
        except Malformed as error:
            raise Denied(400, str(error), self._challenges("invalid_request", str(error))) from None
        if presented is None:
            raise Denied(401, "a token is needed; where to get one is in WWW-Authenticate", self._challenges())
        return presented

    async def _verified(self, token: str) -> Principal:
        try:
            principal = await self._verifier.verify(token)
        except Unverifiable as error:
            log.error("a token cannot be judged: %s", error)
            line = "tokens cannot be verified for now; try again later"
            raise Denied(503, line, {"retry-after": str(RETRY_SECONDS)}) from None
        if principal is None or self.expired(principal):
            raise self._invalid("the token is not valid here, or not any more")
        return principal

    def _invalid(self, line: str) -> Denied:
        return Denied(401, line, self._challenges("invalid_token", line))

    # ---- the key that a token may be bound to

    async def _check_binding(self, presented: Presented, principal: Principal, knock: Knock, now: float) -> None:
        bound = principal.claims.get("cnf") is not None
        if not bound and presented.scheme == "bearer" and self._dpop != "required":
            return
        if self._proofs is None or not bound or presented.scheme != "dpop":
            raise self._invalid(
                "the token is bound to a key, and comes with the scheme DPoP and a proof"
                if bound
                else "the token is bound to no key, and has to be"
            )
        from .proofs import BadProof, bound_key

        try:
            key = bound_key(principal.claims)
            url = urljoin(self.resource, knock.place)
            await self._proofs.check(presented.proofs, presented.token, key, (knock.method, url), now)
        except BadProof as error:
            raise Denied(401, str(error), self._challenges("invalid_dpop_proof", str(error))) from None

    # ---- what is told

    def _challenges(
        self, error: str | None = None, line: str | None = None, scopes: Iterable[str] | None = None
    ) -> dict[str, str]:
        """Return the headers that say what is missing, built from settings alone."""
        params = {} if error is None or line is None else {"error": error, "error_description": line}
        params["resource_metadata"] = published.url_of(self.resource)
        if needed := " ".join(self.scopes if scopes is None else scopes):
            params["scope"] = needed
        told = [] if self._dpop == "required" else [challenge.write("Bearer", params)]
        if self._dpop:
            told.append(challenge.write("DPoP", {**params, "algs": " ".join(_algorithms())}))
        return {"www-authenticate": ", ".join(told)}


def _issuers(said: object) -> Sequence[str]:
    """Return the issuers that are named, by one URL or several. Raises TypeError or ValueError."""
    found = [said] if isinstance(said, str) else said
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise TypeError(f"issuer is the URL of an authorization server, or a list of such, not {type(said).__name__}")
    if not found:
        raise ValueError("issuer names at least one authorization server")
    return found


def _check_options(verifier: object, dpop: object, remember: object) -> None:
    if verifier is not None and (isinstance(verifier, type) or not callable(getattr(verifier, "verify", None))):
        what = f"the class {verifier.__name__}" if isinstance(verifier, type) else type(verifier).__name__
        raise TypeError(f"verifier has `async def verify(token)`, as StaticTokens({{...}}) does, and {what} has not")
    if dpop not in (False, True, "required"):
        raise ValueError(f'dpop is True, False or "required", not {dpop!r:.40}')
    if isinstance(remember, bool) or not isinstance(remember, int | float) or not 0 <= remember < math.inf:
        raise ValueError(f"remember is a number of seconds, 0 for not at all, not {remember!r:.40}")


def _check(resource: object, issuers: Sequence[str]) -> None:
    """Refuse settings that no client could work with. Raises ValueError or TypeError."""
    if not isinstance(resource, str):
        raise TypeError(f"resource is the public URL of the endpoint, not {type(resource).__name__}")
    for what, url in [("resource", resource), *(("issuer", each) for each in issuers)]:
        try:
            parts = judged(what, url, url)
        except Unfit as error:
            raise ValueError(str(error)) from None
        if parts.query:
            raise ValueError(f"{what}: {url!r:.200} has a query, which it cannot have")


def _of_issuers(issuers: Sequence[str], resource: str, private: bool) -> Verifier:
    """Return what verifies signed tokens with the keys that their issuers publish."""
    from .issuers import signed_by
    from .verifying import ByIssuer

    found = {each: signed_by(each, resource, private=private) for each in issuers}
    return found[issuers[0]] if len(found) == 1 else ByIssuer(found)


def _proofs(store: Store) -> Proofs:
    from .proofs import Proofs

    return Proofs(store)


def _algorithms() -> Sequence[str]:
    from .proofs import ALGORITHMS

    return ALGORITHMS
