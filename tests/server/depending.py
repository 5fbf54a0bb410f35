"""Dependencies to depend on: of every kind, and such as write down what happens to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

from mcport import Context, Depends


class Diary:
    """What happened, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


def plain() -> str:
    return "plain"


async def coroutine() -> str:
    return "coroutine"


def steps() -> Iterator[str]:
    yield "steps"


async def stream() -> AsyncIterator[str]:
    yield "stream"


async def id_of(ctx: Context) -> str:
    return str(ctx.request_id)


Identity = Annotated[str, Depends(id_of)]


def shout(id: Identity, mark: str = "!") -> str:
    return id.upper() + mark


def watched(diary: Diary, name: str) -> Callable[..., Any]:
    async def watch() -> AsyncIterator[str]:
        diary(f"{name} begins")
        try:
            yield name
        except BaseException as error:
            diary(f"{name} sees {type(error).__name__}")
            raise
        finally:
            diary(f"{name} ends")

    return watch


def watched_in_thread(diary: Diary, name: str) -> Callable[..., Any]:
    def watch() -> Iterator[str]:
        diary(f"{name} begins")
        try:
            yield name
        except BaseException as error:
            diary(f"{name} sees {type(error).__name__}")
            raise
        finally:
            diary(f"{name} ends")

    return watch
