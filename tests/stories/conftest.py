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
from tests.stories.street import Street, open_street

SECONDS = 20
SCRIPT = Path(__file__).with_name("storyteller.py")


@dataclass(frozen=True, slots=True)
class Stage:
    """One revision, and what makes a new server at the other end of one channel."""

    revision: Revision
    target: Callable[[], Any]

    def client(self, **options: Any) -> Client:
        """Return a client of a new server."""
        return Client(self.target(), revision=self.revision.name, **options)


@pytest.fixture(scope="session")
def street() -> Iterator[Street]:
    """Where the servers are that have a URL."""
    with open_street() as made:
        yield made


@pytest.fixture(params=REVISIONS.values(), ids=lambda revision: revision.name)
def revision(request: pytest.FixtureRequest) -> Revision:
    made: Revision = request.param
    return made


@pytest.fixture(params=["memory", "stdio", "http"])
def stage(request: pytest.FixtureRequest, revision: Revision) -> Stage:
    """A revision and a channel; over HTTP the oldest revision has the pair of endpoints that it knows."""
    if request.param == "memory":
        return Stage(revision, make_server)
    if request.param == "stdio":
        return Stage(revision, lambda: [sys.executable, str(SCRIPT)])
    street: Street = request.getfixturevalue("street")
    return Stage(revision, lambda: street.inn(revision))


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
