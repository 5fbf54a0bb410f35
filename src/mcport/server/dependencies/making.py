"""Making one value and cleaning it up again: a function of any kind, called on the loop or in a worker thread.

What a generator did before its `yield` is undone by what stands after it. Refuses to know for how long a value is good.
Below: `recipe`, `calling`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, TypeAlias

import anyio.lowlevel

from mcport.server.calling import in_thread
from mcport.session.exchange import Exchange

from .recipe import Recipe

CleanUp: TypeAlias = Callable[[BaseException | None, Exchange], Awaitable[None]]
"""Cleans up after an error, or after None; raises what goes wrong, and never the error that it was given."""


async def make(recipe: Recipe, arguments: dict[str, Any], exchange: Exchange) -> tuple[Any, CleanUp | None]:
    """Make a value; return it with what cleans it up, where that is needed."""
    made = partial(recipe.function, **arguments)
    if recipe.kind == "coroutine":
        return await made(), None
    if recipe.kind == "function":
        return await threaded(made, exchange), None
    if recipe.kind == "async generator":
        stream: AsyncGenerator[Any, None] = made()
        return await _first(stream, recipe), partial(_finish, stream, recipe)
    steps: Generator[Any, None, None] = made()
    value = await threaded(partial(_first_step, steps, recipe), exchange)
    return value, partial(_finish_steps, steps, recipe)


async def threaded(run: Callable[[], Any], exchange: Exchange) -> Any:
    """Run a function in a worker thread, inside a task that the exchange can stop already."""
    stop = exchange.stop
    try:
        value = await in_thread(run, exchange)
    finally:
        exchange.stop = stop
    if exchange.cancelled and stop is not None:
        # The thread was left to itself: there is no value, and whoever waits for one is to end here.
        stop()
        await anyio.lowlevel.checkpoint()
    return value


def unstoppable(exchange: Exchange) -> Exchange:
    """Return an exchange for work that goes on when the request of this one is withdrawn."""
    return Exchange(exchange.asked, exchange.outlet, exchange.conversation)


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


def _first_step(steps: Generator[Any, None, None], recipe: Recipe) -> Any:
    try:
        return next(steps)
    except StopIteration:
        raise _no_value(recipe) from None


async def _finish_steps(
    steps: Generator[Any, None, None], recipe: Recipe, error: BaseException | None, exchange: Exchange
) -> None:
    await threaded(partial(_last_step, steps, recipe, error), unstoppable(exchange))


def _last_step(steps: Generator[Any, None, None], recipe: Recipe, error: BaseException | None) -> None:
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


def _no_value(recipe: Recipe) -> RuntimeError:
    return RuntimeError(f"dependency {recipe.name} yielded nothing")


def _several_values(recipe: Recipe) -> RuntimeError:
    return RuntimeError(f"dependency {recipe.name} yielded more than once")
