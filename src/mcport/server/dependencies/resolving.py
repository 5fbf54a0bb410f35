"""One call of a handler that has dependencies: fill them in, call, clean up.

Values are made one after the other, in the order of the parameters, and cleaned up in the reverse order once the
handler is done, with what it raised, however it ended. Below: `making`, `standing`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any, Final, Self

import anyio

from mcport.server.handling.calling import ThreadedHandler, life_of
from mcport.server.handling.context import Context

from .depends import Mark
from .making import CleanUp, Threaded, make, threaded, unstoppable
from .recipe import Recipe, Recipes
from .standing import values_of

log: Final = logging.getLogger("mcport.server")

CLEANUP: Final = 5.0
"""Seconds that the clean-up of one call may take in all."""


class Resolved(ThreadedHandler):
    """Something to call in place of a handler: a coroutine function that fills the handler's dependencies in.

    It is called with the handler's own arguments and, as `context_name`, the context of the call.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        marked: Mapping[str, Mark],
        recipes: Recipes,
        *,
        is_async: bool,
        context_name: str,
        takes_context: bool,
    ) -> None:
        self._function = function
        self._marked = marked
        self._recipes = recipes
        self._is_async = is_async
        self._context_name = context_name
        self._takes_context = takes_context

    async def __call__(self, **arguments: Any) -> Any:
        name = self._context_name
        context: Context = arguments[name] if self._takes_context else arguments.pop(name)
        return await self.fill(arguments, context)

    def through(self, run: Callable[..., Any]) -> Self:
        """Return the same, with `run(handler, **arguments)` in place of the handler's call, if it runs in a thread."""
        if self._is_async:
            return self
        found = copy(self)
        found._function = partial(run, self._function)
        return found

    async def fill(self, arguments: dict[str, Any], context: Context, thread: Threaded = threaded) -> Any:
        """Fill in the dependencies, call the handler, clean up; `thread` runs what is no coroutine function."""
        run = Run(self._recipes, context, thread)
        try:
            for name, mark in self._marked.items():
                arguments[name] = await run.value(mark)
            if self._is_async:
                value = await self._function(**arguments)
            else:
                value = await thread(partial(self._function, **arguments), context._exchange)
        except GeneratorExit:
            raise  # the task is being thrown away: nothing can be awaited any more
        except BaseException as error:
            await run.clean_up(error)
            raise
        await run.clean_up(None)
        return value


class Run:
    """The dependencies of one call."""

    def __init__(self, recipes: Recipes, context: Context, thread: Threaded) -> None:
        self._recipes = recipes
        self._thread = thread
        self._context = context
        self._values: dict[Recipe, Any] = {}
        self._open: list[tuple[Recipe, CleanUp]] = []

    async def value(self, mark: Mark) -> Any:
        """Return the value of a dependency, made if this call has none yet."""
        recipe = self._recipes.now(mark.function)
        exchange = self._context._exchange
        if mark.scope == "process":
            standing = values_of(life_of(exchange), self._recipes)
            return await standing.get(recipe, exchange)
        if recipe in self._values:
            return self._values[recipe]
        arguments = {name: await self.value(need) for name, need in recipe.needs.items()}
        if recipe.context is not None:
            arguments[recipe.context] = self._context
        value, clean_up = await make(recipe, arguments, exchange, self._thread)
        if clean_up is not None:
            self._open.append((recipe, clean_up))
        self._values[recipe] = value
        return value

    async def clean_up(self, error: BaseException | None) -> None:
        """Clean up, also when the call was cancelled. Raises what a clean-up raises; an error is not lost by it."""
        if not self._open:
            return
        exchange, given = unstoppable(self._context._exchange), error
        with anyio.move_on_after(CLEANUP, shield=True) as scope:
            while self._open:
                recipe, clean_up = self._open[-1]
                try:
                    await clean_up(error, exchange)
                except Exception as other:
                    error = worse(recipe, error, other)
                self._open.pop()
        if scope.cancelled_caught:
            names = ", ".join(recipe.name for recipe, _ in reversed(self._open))
            log.error("cleaning up took longer than %g s: %s", CLEANUP, names)
        if error is not None and error is not given:
            raise error


def worse(recipe: Recipe, error: BaseException | None, other: Exception) -> BaseException:
    """Return which error goes on after a clean-up raised `other`: a call that is being stopped stays so."""
    if error is None or isinstance(error, Exception):
        return other
    log.error("cleaning up dependency %s failed: %r", recipe.name, other, exc_info=other)
    return error
