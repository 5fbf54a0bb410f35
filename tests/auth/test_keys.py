"""The keys of an issuer: when they are fetched, and what holds when they cannot be."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport.auth.bearer import keys
from mcport.auth.bearer.denied import Unverifiable
from mcport.auth.bearer.keys import FetchedKeys

pytestmark = pytest.mark.anyio


class Issuer:
    """An issuer whose keys change, and that may be away; and the clock."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.asked = 0
        self.away = False
        self.now = 5.0
        self.keys = FetchedKeys(self._fetch, lambda: self.now)

    async def _fetch(self) -> Any:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.away:
            raise Unverifiable("connection refused")
        return {"keys": [{"kty": "EC", "kid": each} for each in self.ids]}

    async def known(self, id: str | None) -> list[str]:
        return [each["kid"] for each in await self.keys.find(id)]


async def test_keys_are_fetched_once_and_kept() -> None:
    issuer = Issuer("a", "b")
    assert issuer.asked == 0
    for id in ("a", "b", "a", None):
        assert await issuer.known(id) == ["a", "b"]
        issuer.now += keys.PAUSE_SECONDS
    assert issuer.asked == 1


async def test_a_key_that_is_new_is_fetched_when_it_is_first_seen() -> None:
    issuer = Issuer("a")
    await issuer.known("a")
    issuer.ids = ["b"]
    issuer.now += keys.PAUSE_SECONDS
    assert await issuer.known("b") == ["b"]
    assert issuer.asked == 2


async def test_unknown_keys_do_not_make_the_server_ask_again_and_again() -> None:
    issuer = Issuer("a")
    for number in range(50):
        assert await issuer.known(f"x{number}") == ["a"]
    assert issuer.asked == 1


async def test_many_requests_at_once_ask_once() -> None:
    issuer = Issuer("a")
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(issuer.known, "a")
    assert issuer.asked == 1


async def test_a_key_that_was_taken_back_is_forgotten_within_an_hour() -> None:
    issuer = Issuer("a", "b")
    await issuer.known("a")
    issuer.ids = ["b"]
    issuer.now += keys.FRESH_SECONDS + 1
    assert await issuer.known("a") == ["b"]


async def test_known_keys_stay_good_while_the_issuer_is_away_but_not_for_ever() -> None:
    issuer = Issuer("a")
    await issuer.known("a")
    issuer.away = True
    issuer.now += keys.FRESH_SECONDS + 1
    assert await issuer.known("a") == ["a"]
    issuer.now += keys.KEPT_SECONDS
    with pytest.raises(Unverifiable):
        await issuer.known("a")
    issuer.away = False
    issuer.now += keys.PAUSE_SECONDS
    assert await issuer.known("a") == ["a"]


async def test_without_any_keys_nobody_can_tell() -> None:
    issuer = Issuer("a")
    issuer.away = True
    for _ in range(3):
        with pytest.raises(Unverifiable):
            await issuer.known("a")
    assert issuer.asked == 1


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": "x"}])
async def test_what_is_no_set_of_keys_leaves_those_that_are_known(document: Any) -> None:
    async def fetch() -> Any:
        return document

    with pytest.raises(Unverifiable):
        await FetchedKeys(fetch).find(None)


async def test_only_keys_that_verify_something_are_kept() -> None:
    async def fetch() -> Any:
        odd = [{"kty": "oct", "k": "c2VjcmV0"}, {"kid": "x"}, "key", None]
        return {"keys": [*odd, *({"kty": "RSA", "kid": str(each)} for each in range(200))]}

    found = await FetchedKeys(fetch).find(None)
    assert {each["kty"] for each in found} == {"RSA"}
    assert len(found) <= keys.MOST
