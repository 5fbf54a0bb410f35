"""How one dependency is made: what its function is, and what it takes.

Read once for each function, and refused in one line where it cannot work. It makes nothing. Below: `signature`, the
marks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mcport.server.handling.context import Context
from mcport.server.signature.callables import callable_object, heart, is_async, name_of, shell
from mcport.server.signature.parameters import EMPTY, Reading, read_parameters

from .depends import Mark, Scope

Kind: TypeAlias = Literal["function", "coroutine", "generator", "async generator"]


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """One function or class that makes a value: its kind, and which of its parameters are filled in with what."""

    function: Callable[..., Any]
    name: str
    kind: Kind
    context: str | None
    needs: Mapping[str, Mark]


class Recipes:
    """The recipes of one server, each read when its function is first met; `replaced` stand in for others."""

    def __init__(self) -> None:
        self.replaced: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._known: dict[Callable[..., Any], Recipe] = {}

    def now(self, function: Callable[..., Any]) -> Recipe:
        """Return how what stands for the function at this moment makes its value."""
        return self.of(self.replaced.get(function, function))

    def of(self, function: Callable[..., Any]) -> Recipe:
        """Return how the function makes its value. Raises TypeError, in one line, if it cannot be a dependency."""
        recipe = self._known.get(function)
        if recipe is None:
            recipe = self._known[function] = _read(function)
        return recipe

    def check(self, mark: Mark, above: tuple[Recipe, ...] = ()) -> None:
        """Raise TypeError if a dependency, or one of those that it depends on, cannot be filled in."""
        recipe = self.of(mark.function)
        if recipe in above:
            names = " -> ".join(each.name for each in (*above[above.index(recipe) :], recipe))
            raise TypeError(f"dependencies in a circle: {names}")
        if mark.scope == "process":
            _check_for_process(recipe)
        for need in recipe.needs.values():
            self.check(need, (*above, recipe))

    def for_one_thread(self, mark: Mark) -> bool:
        """Whether all that a value needs can be made in the thread that asks: by plain functions and generators.

        What stands for the process has been made already, or is made elsewhere.
        """
        recipe = self.now(mark.function)
        if mark.scope == "process":
            return True
        return recipe.kind in ("function", "generator") and all(map(self.for_one_thread, recipe.needs.values()))

    def standing(self, marks: Iterable[Mark]) -> Iterator[Mark]:
        """Return the marks for values of the process that these need, themselves or through others."""
        for mark in marks:
            if mark.scope == "process":
                yield mark
            else:
                yield from self.standing(self.now(mark.function).needs.values())

    def reaches(self, recipe: Recipe, function: Callable[..., Any]) -> bool:
        """Whether a recipe needs what this function makes, or something that does."""
        needs = [need.function for need in recipe.needs.values()]
        return function in needs or any(self.reaches(self.of(need), function) for need in needs)


def _read(function: Callable[..., Any]) -> Recipe:
    name = name_of(function) or "the lambda"
    parameters = read_parameters(function, Reading(f"dependency {name}", Context, mark_type=Mark, makes_value=True))
    for each in parameters.arguments:
        if each.default is EMPTY:
            raise TypeError(
                f"dependency {name}: nothing fills in parameter {each.name!r}: "
                "give it a default or Depends(...), or annotate it with Context"
            )
    return Recipe(function, name, _kind(function, name), parameters.context, dict(_marks(parameters.marked)))


def _marks(marked: Mapping[str, object]) -> Iterator[tuple[str, Mark]]:
    for name, mark in marked.items():
        assert isinstance(mark, Mark)
        yield name, mark


def _kind(function: Callable[..., Any], name: str) -> Kind:
    inner = shell(function)
    if callable_object(inner):
        inner = shell(type(inner).__call__)
    if inspect.isasyncgenfunction(inner):
        return "async generator"
    if inspect.isgeneratorfunction(inner):
        return "generator"
    if inspect.isasyncgenfunction(heart(function)) or inspect.isgeneratorfunction(heart(function)):
        raise TypeError(f"dependency {name}: give the generator function itself, without a decorator around it")
    return "coroutine" if is_async(function) else "function"


def _check_for_process(recipe: Recipe) -> None:
    """What outlives a call can know nothing of one."""
    if recipe.context is not None:
        raise TypeError(
            f"dependency {recipe.name}: with scope 'process' it cannot take a Context, which is of one call"
        )
    scopes: dict[str, Scope] = {name: need.scope for name, need in recipe.needs.items()}
    for name, scope in scopes.items():
        if scope == "call":
            raise TypeError(
                f"dependency {recipe.name}: with scope 'process' its parameter {name!r} needs that scope as well"
            )
