"""The keys of an issuer: fetched when one is first needed, kept, and fetched anew when it changes them (RFC 7517).

A token with an unknown key cannot make this server ask again and again: between two questions there is a pause. Keys
that are known stay good while their issuer cannot be reached. Where they are comes from settings or from the issuer's
own metadata, never from a token. Below: `auth.jose`, `session.loop`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakKeyDictionary

import anyio

from mcport.auth.jose import KINDS, JsonWebKey
from mcport.session.loop import loop_token

from .denied import Unverifiable

log: Final = logging.getLogger("mcport.auth")

Fetch: TypeAlias = Callable[[], Awaitable[Any]]
"""Returns the document with an issuer's keys, as JSON. Raises `Unverifiable`."""

FRESH_SECONDS: Final = 3600.0
"""How long keys are used before somebody looks whether they changed."""

PAUSE_SECONDS: Final = 30.0
"""How long nobody asks again, whether or not the last answer was good."""

KEPT_SECONDS: Final = 24 * 3600.0
"""How long keys are used at most while their issuer cannot be reached."""

MOST: Final = 100
"""How many keys of an issuer are looked at."""


class Keys(Protocol):
    """Where the keys of an issuer come from."""

    async def find(self, id: object) -> Sequence[JsonWebKey]:
        """Return the issuer's keys, fresh ones if none of them has this id. Raises `Unverifiable`."""
        ...


class FixedKeys:
    """Keys that are known from the start."""

    def __init__(self, keys: Sequence[JsonWebKey]) -> None:
        self._keys = keys

    async def find(self, id: object) -> Sequence[JsonWebKey]:
        return self._keys


class FetchedKeys:
    """Keys that are fetched, one question at a time in each event loop."""

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: Sequence[JsonWebKey] = ()
        self._fetched = self._asked = -math.inf
        self._turns: WeakKeyDictionary[Any, anyio.Lock] = WeakKeyDictionary()

    async def find(self, id: object) -> Sequence[JsonWebKey]:
        if self._wants(id):
            async with self._turns.setdefault(loop_token(), anyio.Lock()):
                if self._wants(id):
                    await self._ask()
        if self._now() - self._fetched > KEPT_SECONDS:
            raise Unverifiable("the issuer's keys are not known")
        return self._keys

    def _wants(self, id: object) -> bool:
        """Whether it is time to ask for keys: they are old, or one that is wanted is not among them."""
        now = self._now()
        if now - self._asked < PAUSE_SECONDS:
            return False
        unknown = id is not None and all(each.get("kid") != id for each in self._keys)
        return unknown or now - self._fetched > FRESH_SECONDS

    async def _ask(self) -> None:
        self._asked = self._now()
        try:
            self._keys = _read(await self._fetch())
        except Unverifiable as error:
            log.warning("an issuer's keys cannot be fetched: %s", error)
        else:
            self._fetched = self._now()


def _read(document: Any) -> Sequence[JsonWebKey]:
    """Return the keys of a document; those that nothing can be verified with are left out."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise Unverifiable("what should be the issuer's keys is no JSON Web Key Set")
    known = set(KINDS.values())
    return [each for each in keys[:MOST] if isinstance(each, dict) and each.get("kty") in known]
