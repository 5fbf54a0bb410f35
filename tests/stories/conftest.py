"""Where a story is told: a revision and a channel; and the client that hears it."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client
from mcport.spec.revisions import REVISIONS, Revision
from tests.stories.storyteller import make_server

SECONDS = 20
SCRIPT = Path(__file__).with_name("storyteller.py")


@dataclass(frozen=True, slots=True)
class Stage:
    """One revision over one channel."""

    revision: Revision
    channel: str

    def client(self, **options: Any) -> Client:
        """Return a client of a new server."""
        target = make_server() if self.channel == "memory" else [sys.executable, str(SCRIPT)]
        return Client(target, revision=self.revision.name, **options)


def stages() -> Iterator[Any]:
    for revision in REVISIONS.values():
        for channel in ("memory", "stdio"):
            yield pytest.param(Stage(revision, channel), id=f"{revision.name}-{channel}")


@pytest.fixture(params=stages())
def stage(request: pytest.FixtureRequest) -> Stage:
    place: Stage = request.param
    return place


def pytest_itemcollected(item: pytest.Item) -> None:
    """A story that hangs fails."""
    if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
        item.obj = _in_time(item.obj)


def _in_time(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @wraps(test)
    async def bounded(*arguments: Any, **named: Any) -> None:
        with anyio.fail_after(SECONDS):
            await test(*arguments, **named)

    return bounded
