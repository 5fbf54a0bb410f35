"""Every asynchronous test of the client ends in time."""

import functools
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import anyio
import pytest

SECONDS = 10


def pytest_itemcollected(item: pytest.Item) -> None:
    """Bound the test itself: a fixture that did would leave trio waiting for it."""
    if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
        item.obj = in_time(item.obj)


def in_time(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return the test, which fails instead of hanging."""

    @functools.wraps(test)
    async def bounded(*arguments: Any, **named: Any) -> None:
        with anyio.fail_after(SECONDS):
            await test(*arguments, **named)

    return bounded
