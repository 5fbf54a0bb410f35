"""The flow of authorization for one server: tokens at hand, refreshed, asked for, and asked for once more.

It is a generator and decides everything: it yields `steps` and is sent their outcomes, and never touches a network, a
clock or a store. (2026-07-28 basic/authorization.) Below: `discovery`, `grant`, `tokens`, `scopes`, `challenge`.
"""

from __future__ import annotations

from typing import Final, TypeVar

from mcport.errors import AuthFailed
from mcport.record import Record

from .challenge import Challenge, find, read
from .discovery import Search, discover
from .grant import Desk, Found, Grant, request_tokens
from .judging import Unfit
from .keys import issuer_key, tokens_key
from .presenting import Presenting
from .scopes import Scopes, named_in, selected, union
from .steps import Drop, Given, Load, Save, Steps, Trail
from .tokens import Tokens, Wanted, dumped, loaded

T = TypeVar("T")

MOST_LOGINS: Final = 3
"""So often authorization is asked for, at most, to get one request through."""

LOG_IN: Final = 401
STEP_UP: Final = 403


class Refusal(Record):
    """A server's word that a request needs (other) authorization: the status, and what its challenge says."""

    status: int
    scopes: Scopes | None = None
    metadata_url: str | None = None


def refusal_of(status: int, headers: list[str], kind: str) -> Refusal | None:
    """Read the answer to a request; None where no authorization would help. `headers` are its `WWW-Authenticate`."""
    if status not in (LOG_IN, STEP_UP):
        return None
    challenges = read(headers)
    challenge = find(challenges, kind) or find(challenges, "Bearer") or Challenge(kind.lower())
    if status == STEP_UP and challenge.params.get("error") != "insufficient_scope":
        return None
    return Refusal(status, named_in(challenge.params.get("scope")), challenge.params.get("resource_metadata"))


class Operation:
    """One request to the server, and what was done so far to get it through."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.logins = 0
        self.refreshed = False


class Policy(Record):
    """What the program wants: its own name for whoever logs in, scopes besides, and servers of 2025-03-26."""

    profile: str = ""
    scopes: Scopes | None = None
    legacy: bool = False


class Flow:
    """The authorization of one server, given by its canonical URI. Its generators run one at a time."""

    def __init__(self, server: str, grant: Grant, presenting: Presenting, given: Given, policy: Policy) -> None:
        self.server = server
        self.tokens: Tokens | None = None
        self.older = False
        """Whether the server is known to be of a revision in which none has metadata."""
        self.person = 0
        """Counts whose tokens they are: a refresh is for the same person, all else may be for another one."""
        self._looked = False
        self._grant = grant
        self._presenting = presenting
        self._given = given
        self._policy = policy
        self.in_vain: set[frozenset[str]] = set()
        """Scopes that were asked for because the server wanted them, and which it then still wanted."""

    @property
    def settled(self) -> bool:
        """Whether `prepare` would change nothing: what is at hand is good, or there is no way to better it alone."""
        if self.tokens is None:
            return self._looked
        return self.tokens.refresh is None or self.tokens.fresh(self._given.now())

    @property
    def usable(self) -> Tokens | None:
        """The tokens at hand, if they are good."""
        return self.tokens if self.tokens is not None and self.tokens.fresh(self._given.now()) else None

    # ---- what drivers run

    def prepare(self, operation: Operation) -> Steps[Tokens | None]:
        """Return tokens that were stored, refreshed if they are old; None where somebody has to log in.

        Raises `AuthFailed` where the authorization server cannot be reached now.
        """
        return (yield from self._told(self._prepare(operation), operation))

    def renew(self, refusal: Refusal, used: Tokens | None, operation: Operation) -> Steps[Tokens]:
        """Return tokens for a request that was refused with those that were `used`. Raises `AuthFailed`."""
        return (yield from self._told(self._renew(refusal, used, operation), operation))

    def kept(self) -> Steps[Tokens | None]:
        """Return the tokens that are stored, good or not."""
        return (yield from self._load())

    def forget(self) -> Steps[None]:
        """Forget the tokens: log out, as far as this side knows."""
        tokens = yield from self._load()
        if tokens is not None:
            yield Drop(tokens_key(tokens.issuer, self.server, self._policy.profile))
            yield Drop(issuer_key(self.server, self._policy.profile))
        self.tokens = None

    # ---- how

    def _prepare(self, operation: Operation) -> Steps[Tokens | None]:
        if not self.settled:
            tokens = yield from self._load()
            if tokens is not None and not tokens.fresh(self._given.now()):
                # What came just now is used, however short it lives.
                return (yield from self._refreshed(tokens, operation))
        return self.usable

    def _renew(self, refusal: Refusal, used: Tokens | None, operation: Operation) -> Steps[Tokens]:
        known = yield from self._load()
        if known is not None and (used is None or known.access != used.access) and known.fresh(self._given.now()):
            return known  # somebody else has logged in meanwhile
        self._check_worth(refusal, known, operation)
        search = Search(self.server, refusal.metadata_url, self._grant.issuer, self._policy.legacy or self.older)
        resource, metadata = yield from discover(search, operation.trail)
        if known is not None and known.issuer != metadata.issuer:
            operation.trail.note(f"the authorization server was {known.issuer} and is {metadata.issuer}")
            known = None
        if refusal.status == LOG_IN and known is not None:
            refreshed = yield from self._refreshed(known, operation)
            if refreshed is not None:
                return refreshed
        scopes = self._scopes(refusal, resource.scopes_supported, known)
        return (yield from self._logged_in(Found(self.server, resource.resource, metadata, scopes), operation))

    def _check_worth(self, refusal: Refusal, known: Tokens | None, operation: Operation) -> None:
        """Raise `Unfit` where one more authorization would change nothing ("Step-Up Authorization Flow")."""
        if refusal.status == LOG_IN:
            if operation.logins:
                raise Unfit("access_token", "the server does not take the token that was given for it just now")
            return
        wanted = frozenset(refusal.scopes or ())
        if operation.logins and known is not None and wanted <= set(known.asked or ()):
            self.in_vain.add(wanted)
        if wanted in self.in_vain:
            raise Unfit("scope", f"the server wants {_named(refusal.scopes)}, and had been given a token for that")
        if not self._grant.for_user:
            raise Unfit("scope", f"the server wants {_named(refusal.scopes)}, which this client was not given")
        if operation.logins >= MOST_LOGINS:
            raise Unfit("scope", f"the server wants more after {MOST_LOGINS} authorizations: {_named(refusal.scopes)}")

    def _scopes(self, refusal: Refusal, supported: Scopes | None, known: Tokens | None) -> Scopes | None:
        """Return what to ask for: what is wanted now, and what was asked for before and would be lost otherwise."""
        before = None if known is None else known.asked
        if refusal.status == STEP_UP:
            return union(before, refusal.scopes)
        return union(before, selected(refusal.scopes, supported, self._policy.scopes))

    def _logged_in(self, found: Found, operation: Operation) -> Steps[Tokens]:
        operation.logins += 1
        self.person += 1
        tokens = yield from self._grant.tokens(found, self._desk(operation))
        yield from self._keep(tokens)
        return tokens

    def _refreshed(self, tokens: Tokens, operation: Operation) -> Steps[Tokens | None]:
        """Return tokens that a refresh brings; None where that is impossible, and the person has to be asked."""
        if tokens.refresh is None or operation.refreshed:
            return None
        operation.refreshed = True
        identity = yield from self._grant.identity(tokens)
        if identity is None:
            return None
        place = tokens.issuer, tokens.endpoint, tokens.client_id, tokens.method, tokens.resource
        wanted = Wanted(*place, tokens.granted, tokens.kind)
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh.reveal()}
        try:
            later = yield from request_tokens(wanted, form, identity, self._desk(operation))
        except Unfit as error:
            if error.passing:
                raise
            operation.trail.note(f"refreshing: {error}")
            return None
        refreshed = tokens.refreshed_by(later)
        yield from self._keep(refreshed)
        return refreshed

    # ---- the store

    def _load(self) -> Steps[Tokens | None]:
        """Return what is stored; another process may have put it there."""
        profile = self._policy.profile
        self._looked = True
        issuer = yield Load(issuer_key(self.server, profile))
        stored = None if issuer is None else loaded((yield Load(tokens_key(issuer, self.server, profile))))
        if stored != self.tokens:
            self.person += 1
        self.tokens = stored
        return stored

    def _keep(self, tokens: Tokens) -> Steps[None]:
        profile = self._policy.profile
        self.tokens = tokens
        yield Save(tokens_key(tokens.issuer, self.server, profile), dumped(tokens))
        yield Save(issuer_key(self.server, profile), tokens.issuer)

    def _desk(self, operation: Operation) -> Desk:
        return Desk(operation.trail, self._given, self._presenting)

    def _told(self, steps: Steps[T], operation: Operation) -> Steps[T]:
        try:
            return (yield from steps)
        except Unfit as error:
            raise failure(self.server, error, operation.trail) from None


def failure(server: str, unfit: Unfit, trail: Trail) -> AuthFailed:
    """Return the error for what went wrong, with what was done before."""
    return AuthFailed(
        f"Cannot log in to server '{server}': {unfit}",
        parameter=unfit.parameter,
        error=unfit.error,
        passing=unfit.passing,
        steps=tuple(trail.lines),
        server=server,
        cause=str(unfit),
    )


def _named(scopes: Scopes | None) -> str:
    return f"the scope {' '.join(scopes)!r}" if scopes else "more than the token is good for"
