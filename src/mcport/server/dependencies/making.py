"""Making one value and cleaning it up again: a function of any kind, called on the loop or in a worker thread.

What a generator did before its `yield` is undone by what stands after it. Refuses to know for how long a value is good.
Below: `recipe`, `calling`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, TypeAlias

import anyio.lowlevel

from mcport.server.handling.calling import in_thread
from mcport.session.exchange import Exchange, Pausable
from mcport.session.loop import Loop

from .recipe import Recipe

CleanUp: TypeAlias = Callable[[BaseException | None, Exchange], Awaitable[None]]
"""Cleans up after an error, or after None; raises what goes wrong, and never the error that it was given."""

Threaded: TypeAlias = Callable[[Callable[[], Any], Exchange], Awaitable[Any]]
"""Runs a plain function in a thread, for an exchange that may stop waiting for it."""


async def threaded(run: Callable[[], Any], exchange: Exchange) -> Any:
    """Run a function in a worker thread, inside a task that the exchange can stop already.

    The time of a handler stands still while it waits for a free thread.
    """
    stop = exchange.stop
    if (deadline := getattr(exchange, "deadline", None)) is not None:
        run = _held(run, deadline, exchange.outlet.loop)
    try:
        value = await in_thread(run, exchange)
    finally:
        exchange.stop = stop
    if exchange.cancelled and stop is not None:
        # The thread was left to itself: there is no value, and whoever waits for one is to end here.
        stop()
        await anyio.lowlevel.checkpoint()
    return value


def _held(run: Callable[[], Any], deadline: Pausable, loop: Loop) -> Callable[[], Any]:
    deadline.hold()

    def begin() -> Any:
        loop.soon_from_thread(deadline.release)
        return run()

    return begin


async def make(
    recipe: Recipe, arguments: dict[str, Any], exchange: Exchange, thread: Threaded = threaded
) -> tuple[Any, CleanUp | None]:
    """Make a value; return it with what cleans it up, where that is needed."""
    made = partial(recipe.function, **arguments)
    if recipe.kind == "coroutine":
        return await made(), None
    if recipe.kind == "function":
        return await thread(made, exchange), None
    if recipe.kind == "async generator":
        stream: AsyncGenerator[Any, None] = made()
        return await _first(stream, recipe), partial(_finish, stream, recipe)
    steps: Generator[Any, None, None] = made()
    value = await thread(partial(first_step, steps, recipe), exchange)
    return value, partial(_finish_steps, steps, recipe, thread)


def unstoppable(exchange: Exchange) -> Exchange:
    """Return an exchange for work that goes on when the request of this one is withdrawn."""
    return Exchange(exchange.asked, exchange.outlet, exchange.conversation)


def first_step(steps: Generator[Any, None, None], recipe: Recipe) -> Any:
    """Return the value of a generator. Raises RuntimeError for one that has none."""
    try:
        return next(steps)
    except StopIteration:
        raise _no_value(recipe) from None


def last_step(steps: Generator[Any, None, None], recipe: Recipe, error: BaseException | None) -> None:
    """Have a generator clean up after an error, or after None; raises what goes wrong, never the error itself."""
    trace = error.__traceback__ if error is not None else None
    try:
        next(steps) if error is None else steps.throw(error)
    except StopIteration:
        return
    except BaseException as other:
        if other is not error:
            raise
        return
    finally:
        if error is not None:
            error.__traceback__ = trace
    steps.close()
    raise _several_values(recipe)


async def _first(stream: AsyncGenerator[Any, None], recipe: Recipe) -> Any:
    try:
        return await anext(stream)
    except StopAsyncIteration:
        raise _no_value(recipe) from None


async def _finish(stream: AsyncGenerator[Any, None], recipe: Recipe, error: BaseException | None, _: Exchange) -> None:
    trace = error.__traceback__ if error is not None else None
    try:
        await (anext(stream) if error is None else stream.athrow(error))
    except StopAsyncIteration:
        return
    except BaseException as other:
        if other is not error:
            raise
        return
    finally:
        if error is not None:
            error.__traceback__ = trace  # how it came through the generator tells nobody anything
    await stream.aclose()
    raise _several_values(recipe)


async def _finish_steps(
    steps: Generator[Any, None, None],
    recipe: Recipe,
    thread: Threaded,
    error: BaseException | None,
    exchange: Exchange,
) -> None:
    await thread(partial(last_step, steps, recipe, error), unstoppable(exchange))


def _no_value(recipe: Recipe) -> RuntimeError:
    return RuntimeError(f"dependency {recipe.name} yielded nothing")


def _several_values(recipe: Recipe) -> RuntimeError:
    return RuntimeError(f"dependency {recipe.name} yielded more than once")
