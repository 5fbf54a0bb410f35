"""Asking an authorization server: for the keys that it publishes, and about tokens that say nothing by themselves.

Where its endpoints are stands in its metadata, which is looked for as clients do (basic/authorization "Authorization
Server Metadata Discovery"). Below: `auth.fetch`, `auth.metadata`, `keys`, `verifying`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlencode

from mcport.auth.fetch import Fetcher
from mcport.auth.identity import Identity, identity_of
from mcport.auth.judging import Unfit, text_of
from mcport.auth.metadata import read_server_metadata, server_metadata_urls
from mcport.auth.steps import FORM, Answer, Ask, NoOutcome
from mcport.auth.urls import judged
from mcport.core.jsonrpc import JsonObject

from .denied import Unverifiable
from .keys import FetchedKeys
from .verifying import AskedTokens, Introspect, SignedTokens, Verifier

Open: TypeAlias = Callable[[], Fetcher]
"""Opens the way to an issuer."""


def signed_by(issuer: str, resource: str, *, jwks_uri: str | None = None, private: bool = False) -> Verifier:
    """Return what verifies the tokens that an issuer signed for a resource, by the keys that it publishes.

    They are at `jwks_uri`, or where the issuer's metadata says; with `private` that may be in a private network.
    """
    way = _way(issuer, private)

    async def fetch() -> Any:
        async with way() as fetcher:
            url = jwks_uri or await _endpoint(fetcher, issuer, "jwks_uri")
            return await _document(fetcher, Ask("the issuer's keys", url))

    return SignedTokens(issuer, [resource], FetchedKeys(fetch))


def asked_of(
    issuer: str,
    resource: str,
    *,
    client_id: str,
    client_secret: str,
    introspection_endpoint: str | None = None,
    audience_said: bool = True,
    private: bool = False,
) -> Verifier:
    """Return what asks an issuer about each token (RFC 7662), as the client that this server is there.

    The endpoint is the one given, or what the issuer's metadata says. `audience_said=False` takes tokens of which the
    issuer does not say for whom they are: only where it issues them for this server alone.
    """
    identity = identity_of(client_id, client_secret)
    introspect = _introspection(issuer, identity, introspection_endpoint, private)
    return AskedTokens(issuer, [resource], introspect, audience_said=audience_said)


def _introspection(issuer: str, identity: Identity, endpoint: str | None, private: bool) -> Introspect:
    way = _way(issuer, private)
    known: list[str] = [] if endpoint is None else [endpoint]

    async def introspect(token: str) -> Any:
        async with way() as fetcher:
            if not known:
                known.append(await _endpoint(fetcher, issuer, "introspection_endpoint"))
            proof, form = identity.authenticated({"token": token, "token_type_hint": "access_token"})
            body = urlencode(form).encode()
            return await _document(fetcher, Ask("a token", known[0], "POST", {**FORM, **proof}, body))

    return introspect


def _way(issuer: str, private: bool) -> Open:
    return lambda: Fetcher(issuer, private=private)


async def _endpoint(fetcher: Fetcher, issuer: str, name: str) -> str:
    """Return the URL that an issuer's metadata gives. Raises `Unverifiable`."""
    try:
        metadata = await _metadata(fetcher, issuer)
        url = text_of(metadata, name)
        if url is None:
            raise Unfit(name, "the issuer's metadata names none")
        judged(name, url, issuer)
    except Unfit as error:
        raise Unverifiable(str(error)) from None
    return url


async def _metadata(fetcher: Fetcher, issuer: str) -> JsonObject:
    urls = server_metadata_urls(issuer)
    for url in urls:
        answer = await fetcher.fetch(Ask("the issuer's metadata", url))
        if isinstance(answer, Answer) and 400 <= answer.status < 500:
            continue
        return read_server_metadata(_read(answer, url), issuer, issuer).document
    raise Unverifiable(f"the issuer has no metadata: tried {', '.join(urls)}")


async def _document(fetcher: Fetcher, ask: Ask) -> JsonObject:
    return _read(await fetcher.fetch(ask), ask.url)


def _read(answer: Answer | NoOutcome, url: str) -> JsonObject:
    """Return the JSON object of an answer. Raises `Unverifiable`, without a word of what came."""
    if isinstance(answer, NoOutcome):
        raise Unverifiable(f"{url}: {answer.reason}")
    if answer.status != 200:
        raise Unverifiable(f"{url} answered {answer.status}")
    document = answer.document()
    if document is None:
        raise Unverifiable(f"{url} answered something that is no JSON object")
    return document
