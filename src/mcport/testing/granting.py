"""The grants of an authorization server for development that need no browser: credentials, statements, and exchange.

Each says what is approved, as a person would at a browser. As an identity provider it states to other authorization
servers who uses a program (ID-JAG). (RFC 6749 4.4, RFC 7523, RFC 8693.) Below: `clients`, `issuing`, `statements`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from mcport.auth import jose
from mcport.auth.enterprise import ASSERTION, IDENTITY

from .approvals import Approved
from .clients import Clients, Registered
from .issuing import Issuing
from .statements import Statements
from .wire import Answer, Form, Headers, Refused, document

COMPANY_KIND: Final = "oauth-id-jag+jwt"
STATED_SECONDS: Final = 300


class Granting:
    """Approves what programs, workloads and companies ask for. `trusted` are the keys of those whose word counts."""

    def __init__(self, clients: Clients, issuing: Issuing, issuer: str, now: Callable[[], float]) -> None:
        self.trusted: dict[str, Sequence[jose.JsonWebKey]] = {}
        self._clients = clients
        self._issuing = issuing
        self._now = now
        self._statements = Statements([issuer, f"{issuer}/token"])

    def by_credentials(self, form: Form, headers: Headers) -> Approved:
        """Approve what a program asks for in its own name. Raises `Refused`."""
        client = self._clients.proven(form, headers)
        return Approved(client.id, client.id, _resource(form), form.get("scope", ""))

    def by_statement(self, form: Form, headers: Headers) -> Approved:
        """Approve what somebody trusted states: of a workload, or of a person in a company. Raises `Refused`."""
        signed = self._trusted(form.get("assertion", ""))
        subject, resource = str(signed.claims.get("sub", "")), _resource(form)
        if not subject:
            raise Refused("invalid_grant", "the statement names nobody")
        if signed.header.get("typ") != COMPANY_KIND:
            return Approved(subject, form.get("client_id") or subject, resource, form.get("scope", ""))
        client = self._clients.proven(form, headers)
        _check_company(signed.claims, client, resource)
        return Approved(subject, client.id, resource, str(signed.claims.get("scope", "")))

    def exchanged(self, form: Form, headers: Headers) -> Answer:
        """Be the identity provider: state to another authorization server who uses a program. Raises `Refused`."""
        client = self._clients.asking(form, headers)
        wanted = form.get("requested_token_type"), form.get("subject_token_type")
        person = self._issuing.claims_of(form.get("subject_token", ""))
        if wanted != (ASSERTION, IDENTITY) or not form.get("audience"):
            raise Refused("invalid_request", "an identity token is exchanged for an ID-JAG to an audience")
        if person is None or person["aud"] != client.id:
            raise Refused("invalid_grant", "the subject_token is not good, or another program's")
        named = {name: form.get(name) for name in ("resource", "scope")}
        stated = self._issuing.signed(
            COMPANY_KIND, STATED_SECONDS, sub=person["sub"], aud=form["audience"], client_id=client.id, **named
        )
        said = {"access_token": stated, "issued_token_type": ASSERTION, "token_type": "N_A"}
        return document({**said, "expires_in": STATED_SECONDS})

    def _trusted(self, token: str) -> jose.Signed:
        """Return what somebody states who is trusted, in nobody else's name. Raises `Refused`."""
        every = [key for keys in self.trusted.values() for key in keys]
        signed = self._statements.read(token, every, self._now())
        own = self.trusted.get(str(signed.claims.get("iss")))
        if own is None:
            raise Refused("invalid_grant", "the statement comes from nobody who is trusted")
        return self._statements.read(token, own, self._now())


def _check_company(claims: dict[str, Any], client: Registered, resource: str) -> None:
    if claims.get("client_id") != client.id or claims.get("resource") != resource:
        raise Refused("invalid_grant", "the statement is about another program, or for another resource")


def _resource(form: Form) -> str:
    resource = form.get("resource")
    if not resource:
        raise Refused("invalid_target", "resource is missing")
    return resource
