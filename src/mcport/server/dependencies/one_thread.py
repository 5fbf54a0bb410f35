"""One call of a `def` handler whose dependencies are plain functions and generators: all of it in one worker thread.

What a generator opened is used and closed where it was opened, and the call costs one hop. It takes the time that it
takes, as any `def` handler: the clean-up comes after the handler, even when nobody waits for that any more. Below:
`resolving`, `session.crossing`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from copy import copy
from functools import partial
from typing import Any, Self, TypeVar

from mcport.server.handling.calling import ThreadedHandler, life_of
from mcport.server.handling.context import Context
from mcport.session.crossing import Back, Withdrawn, cross, left_to_itself
from mcport.session.exchange import Exchange

from .depends import Mark
from .making import first_step, last_step, threaded
from .recipe import Recipe, Recipes
from .resolving import Resolved, worse
from .standing import values_of

T = TypeVar("T")


class InOneThread:
    """Something to call in place of a `def` handler, in its worker thread: it fills the handler's dependencies in.

    `otherwise` does it where a dependency was replaced by one that cannot be made in a thread.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        marked: Mapping[str, Mark],
        recipes: Recipes,
        otherwise: Resolved,
        context_name: str,
        takes_context: bool,
    ) -> None:
        self._function = function
        self._marked = marked
        self._recipes = recipes
        self._otherwise = otherwise
        self._context_name = context_name
        self._takes_context = takes_context

    def __call__(self, **arguments: Any) -> Any:
        name = self._context_name
        context: Context = arguments[name] if self._takes_context else arguments.pop(name)
        if self._recipes.replaced and not all(map(self._recipes.for_one_thread, self._marked.values())):
            return _crossed(lambda back: self._otherwise.fill(arguments, context, partial(_handed, back)), context)
        run = Run(self._recipes, context)
        try:
            for name, mark in self._marked.items():
                arguments[name] = run.value(mark)
            value = _finished(self._function(**arguments), context)
        except BaseException as error:
            run.clean_up(error)
            raise
        run.clean_up(None)
        return value


class AfterStanding(ThreadedHandler):
    """The same for a handler that needs values which stand for the process: those are made before it needs a thread.

    A thread that waited for another one might wait for ever, where there is only one.
    """

    def __init__(self, in_thread: InOneThread, marked: Iterable[Mark], recipes: Recipes, context_name: str) -> None:
        self._call: Callable[..., Any] = in_thread
        self._marked = tuple(marked)
        self._recipes = recipes
        self._context_name = context_name

    async def __call__(self, **arguments: Any) -> Any:
        exchange = arguments[self._context_name]._exchange
        standing = values_of(life_of(exchange), self._recipes)
        for mark in self._recipes.standing(self._marked):
            await standing.get(self._recipes.now(mark.function), exchange)
        return await threaded(partial(self._call, **arguments), exchange)

    def through(self, run: Callable[..., Any]) -> Self:
        """Return the same, with `run(handler, **arguments)` in place of what is called in the thread."""
        found = copy(self)
        found._call = partial(run, self._call)
        return found


class Run:
    """The dependencies of one call."""

    def __init__(self, recipes: Recipes, context: Context) -> None:
        self._recipes = recipes
        self._context = context
        self._values: dict[Recipe, Any] = {}
        self._open: list[tuple[Recipe, Generator[Any, None, None]]] = []

    def value(self, mark: Mark) -> Any:
        """Return the value of a dependency, made if this call has none yet; raises `Withdrawn` if nobody waits."""
        recipe = self._recipes.now(mark.function)
        if recipe in self._values:
            return self._values[recipe]
        value = self._standing(recipe) if mark.scope == "process" else self._made(recipe)
        if left_to_itself() or self._context.cancelled:
            raise Withdrawn
        self._values[recipe] = value
        return value

    def clean_up(self, error: BaseException | None) -> None:
        """Clean up. Raises what a clean-up raises; an error is not lost by it."""
        given = error
        while self._open:
            recipe, steps = self._open.pop()
            try:
                last_step(steps, recipe, error)
            except Exception as other:
                error = worse(recipe, error, other)
        if error is not None and error is not given:
            raise error

    def _made(self, recipe: Recipe) -> Any:
        arguments = {name: self.value(need) for name, need in recipe.needs.items()}
        if recipe.context is not None:
            arguments[recipe.context] = self._context
        made = recipe.function(**arguments)
        if recipe.kind == "function":
            return _finished(made, self._context)
        value = first_step(made, recipe)
        self._open.append((recipe, made))
        return value

    def _standing(self, recipe: Recipe) -> Any:
        """A value that is made once: it has a task of its own, on the loop."""
        exchange = self._context._exchange
        standing = values_of(life_of(exchange), self._recipes)
        if found := standing.found(recipe):
            return found[0]
        return _crossed(lambda _: standing.get(recipe, exchange), self._context)


def _finished(value: Any, context: Context) -> Any:
    """Return a value; what is to be awaited, as a function around a coroutine function returns it, is awaited."""
    return _crossed(lambda _: _awaited(value), context) if hasattr(type(value), "__await__") else value


async def _awaited(value: Awaitable[T]) -> T:
    return await value


def _crossed(work: Callable[[Back], Any], context: Context) -> Any:
    exchange = context._exchange
    return cross(work, exchange.outlet.loop, exchange)


async def _handed(back: Back, run: Callable[[], Any], _: Exchange) -> Any:
    """Have the waiting thread run a function."""
    value = await back(run)
    return await value if inspect.isawaitable(value) else value
