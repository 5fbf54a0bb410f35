"""Classes as dependencies: an object is made, and what its constructor takes is filled in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from mcport import Context, Depends, Server
from tests.server.wire import ALL, NEW, serving

REVISION = NEW[0]


def place() -> str:
    return "the shelf"


class Shop:
    """Takes a dependency, a context and something with a default."""

    def __init__(self, ctx: Context, place: Annotated[str, Depends(place)], number: int = 7) -> None:
        self.about = f"{place} {number} {ctx.revision}"


class Corner(Shop):
    """Takes what its base takes."""


@dataclass
class Stock:
    """Depends on a class itself."""

    shop: Shop = Depends(Shop)

    @property
    def about(self) -> str:
        return f"stock of {self.shop.about}"


class Place:
    """Stands for a place."""

    def __str__(self) -> str:
        return "a place"


class Empty:
    """Takes nothing."""

    about = "empty"


class Pair:
    """Takes its arguments in `__new__`."""

    about: str

    def __new__(cls, where: Annotated[str, Depends(place)]) -> Pair:
        made = super().__new__(cls)
        made.about = f"pair {where}"
        return made


class Modelled(BaseModel):
    """Takes its arguments by a signature of its own."""

    about: str = "modelled"


KINDS = [
    (Shop, "the shelf 7 {}"),
    (Corner, "the shelf 7 {}"),
    (Stock, "stock of the shelf 7 {}"),
    (Empty, "empty"),
    (Pair, "pair the shelf"),
    (Modelled, "modelled"),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("made", "about"), KINDS)
async def test_an_object_of_a_class_reaches_its_handler(revision: str, made: Any, about: str) -> None:
    server = Server("classes")

    @server.tool
    async def use(value: Any = Depends(made)) -> str:
        assert type(value) is made
        return str(value.about)

    @server.tool
    def use_in_thread(value: Any = Depends(made)) -> str:
        return str(value.about)

    async with serving(server, revision) as wire:
        (first, _) = (await wire.ask("tools/list"))["result"]["tools"]
        assert first["inputSchema"]["properties"] == {}
        assert await wire.text("use") == about.format(revision)
        assert await wire.text("use_in_thread") == about.format(revision)


async def test_an_object_is_made_once_a_call_and_in_the_thread_of_a_plain_handler() -> None:
    server = Server("once")

    class Made:
        def __init__(self) -> None:
            self.thread = threading.get_ident()

    def through(made: Any = Depends(Made)) -> object:
        return made

    @server.tool
    def use(made: Any = Depends(Made), other: Any = Depends(through)) -> bool:
        return made is other and made.thread == threading.get_ident()

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "true"


async def test_an_object_for_the_process_stays_the_same_from_call_to_call() -> None:
    server, made = Server("process"), []

    class Pool:
        def __init__(self) -> None:
            made.append(self)

    @server.tool
    async def use(pool: Any = Depends(Pool, scope="process")) -> bool:
        return pool is made[0]

    async with serving(server, REVISION) as wire:
        assert [await wire.text("use") for _ in range(3)] == ["true"] * 3
    assert len(made) == 1


async def test_a_class_replaces_a_function_and_a_function_a_class() -> None:
    server = Server("override")

    class FakeShop:
        def __init__(self, place: str = Depends(place)) -> None:
            self.about = f"fake {place}"

    def fake_steps() -> Iterator[Empty]:
        yield Empty()

    @server.tool
    async def use(shop: Any = Depends(Shop), where: Any = Depends(place)) -> str:
        return f"{shop.about}, {where}"

    @server.tool
    def use_in_thread(shop: Any = Depends(Shop)) -> str:
        return str(shop.about)

    async with serving(server, REVISION) as wire:
        with server.override(Shop, FakeShop):
            assert await wire.text("use") == "fake the shelf, the shelf"
            assert await wire.text("use_in_thread") == "fake the shelf"
        with server.override(Shop, fake_steps):
            assert await wire.text("use_in_thread") == "empty"
        with server.override(place, Place):
            assert (await wire.text("use")).startswith("a place 7 ")


def test_a_class_that_cannot_be_made_is_refused_in_one_line_when_the_handler_is_registered() -> None:
    class Needy:
        def __init__(self, token: str) -> None: ...

    class Around:
        def __init__(self, other: Any) -> None: ...

    Around.__init__.__defaults__ = (Depends(Around),)
    for made, line in [
        (Needy, "dependency Needy: nothing fills in parameter 'token': give it a default or Depends"),
        (Around, "dependencies in a circle: Around -> Around"),
    ]:

        async def use(value: Any = Depends(made)) -> str:
            return str(value)

        with pytest.raises(TypeError) as caught:
            Server("refused").tool(use)
        assert str(caught.value).startswith(line)
        assert "\n" not in str(caught.value)
