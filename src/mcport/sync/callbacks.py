"""Callbacks of a blocking client: each is called in a thread of its own, where it may block.

It may wait for a person, and it may call the client: the loop goes on meanwhile. Coroutine functions are left as they
are and run in the loop. Below: nothing of mcport.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Final, TypeVar

T = TypeVar("T")

NAMES: Final = ("progress", "elicit", "elicit_url", "sample", "roots", "log", "approve", "changed")
"""The options of a client and of its calls that are callbacks and may be waited for."""


def in_threads(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with every plain callback made into one that the loop can wait for."""
    found = {name: options[name] for name in NAMES if callable(options.get(name))}
    return {**options, **{name: _threaded(callback) for name, callback in found.items()}} if found else options


def _threaded(function: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        return function

    @wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        answer = await _in_a_thread(lambda: function(*arguments, **named))
        return await answer if isinstance(answer, Awaitable) else answer

    return call


async def _in_a_thread(function: Callable[[], T]) -> T:
    """Call a function in a new daemon thread; one that nobody waits for any more is left to itself."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)  # type: ignore[arg-type]  # None is the value where there is no error
        else:
            future.set_exception(error)

    def work() -> None:
        value, failure = None, None
        try:
            value = context.run(function)
        except BaseException as error:
            failure = error if isinstance(error, Exception) else RuntimeError(f"the callback ended with {error!r}")
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:
            return  # the loop has ended: nobody is left to be told

    threading.Thread(target=work, name="mcport callback", daemon=True).start()
    return await future
