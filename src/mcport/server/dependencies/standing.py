"""Values that are made once in a server's life: when first needed, and cleaned up when the life ends.

Each has a task of its own, which enters and leaves its generator, so that it does not matter which call came first or
what became of that call. Below: `making`, `living`.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import anyio

from mcport.core.events import Asked
from mcport.server.living import Life
from mcport.session.exchange import Exchange

from .making import make
from .recipe import Recipe, Recipes

log: Final = logging.getLogger("mcport.server")

CLEANUP: Final = 5.0
"""Seconds that each value has for its clean-up."""


class _Value:
    """One value on its way: from its making to its clean-up."""

    def __init__(self) -> None:
        self.value: Any = None
        self.made = False
        self.error: BaseException | None = None
        self.ready = anyio.Event()
        self.leave = anyio.Event()
        self.left = anyio.Event()


class Standing:
    """The values of one life."""

    def __init__(self, life: Life, recipes: Recipes) -> None:
        self._life = life
        self._recipes = recipes
        self._values: dict[Recipe, _Value] = {}

    async def get(self, recipe: Recipe, exchange: Exchange) -> Any:
        """Return the value of a recipe, made now if it is not there yet; raises what making it raised."""
        held = self._values.get(recipe)
        if held is not None and held.made:
            return held.value
        if held is None:
            held = self._values[recipe] = _Value()
            own = _exchange_of_nobody(exchange)
            exchange.outlet.loop.keep(self._hold(recipe, held, own))
        await held.ready.wait()
        if held.error is not None:
            raise held.error
        return held.value

    def found(self, recipe: Recipe) -> list[Any]:
        """Return the value of a recipe, in a list of its own, or an empty one while there is none; from any thread."""
        held = self._values.get(recipe)
        return [held.value] if held is not None and held.made else []

    async def _hold(self, recipe: Recipe, held: _Value, exchange: Exchange) -> None:
        """The task that makes a value, keeps it and cleans it up."""
        try:
            if recipe.context is not None:  # the replacement of another one: that one was looked at before
                raise TypeError(f"dependency {recipe.name}: with scope 'process' it cannot take a Context")
            arguments = {
                name: await self.get(self._recipes.now(need.function), exchange) for name, need in recipe.needs.items()
            }
            held.value, clean_up = await make(recipe, arguments, exchange)
            if clean_up is not None:
                self._life.endings.append(lambda: self._end(recipe, held))
            held.made = True
            held.ready.set()
            if clean_up is not None:
                await held.leave.wait()
                await clean_up(None, exchange)
        except anyio.get_cancelled_exc_class():
            held.error = RuntimeError(f"dependency {recipe.name} was cancelled")
            raise
        except BaseException as error:
            self._failed(recipe, held, error)
        finally:
            held.ready.set()
            held.left.set()

    def _failed(self, recipe: Recipe, held: _Value, error: BaseException) -> None:
        if held.ready.is_set():
            log.error("cleaning up dependency %s failed: %r", recipe.name, error, exc_info=error)
        else:
            held.error = error
            self._values.pop(recipe, None)  # whoever needs it next tries again

    async def _end(self, recipe: Recipe, held: _Value) -> None:
        self._values.pop(recipe, None)
        held.leave.set()
        with anyio.move_on_after(CLEANUP):
            await held.left.wait()
        if not held.left.is_set():
            log.error("cleaning up dependency %s took longer than %g s", recipe.name, CLEANUP)


def _exchange_of_nobody(exchange: Exchange) -> Exchange:
    """Return an exchange for work that belongs to no request."""
    return Exchange(Asked(0, "", {}), exchange.outlet, exchange.conversation)


def values_of(life: Life, recipes: Recipes) -> Standing:
    """Return the values that stand in a life for the server of these recipes."""
    found: Standing | None = life.kept.get(recipes)
    if found is None:
        found = life.kept[recipes] = Standing(life, recipes)
    return found
