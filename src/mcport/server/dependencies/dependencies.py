"""The dependencies of one server: which handlers have some, and what stands in for what in a test.

Below: `resolving`, `one_thread`, `recipe`, `signature`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from mcport.server.handling.context import Context
from mcport.server.signature import Signature

from .depends import Mark

if TYPE_CHECKING:
    from .recipe import Recipes

_CONTEXT: Final = "the context"
"""The name under which a handler that takes no context is given one on its way; no parameter can be called so."""


class Dependencies:
    """What handlers of one server depend on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_recipes: Recipes | None = None

    @property
    def _recipes(self) -> Recipes:
        """The recipes of this server; there are none before something depends."""
        from .recipe import Recipes

        with self._lock:
            if self._read_recipes is None:
                self._read_recipes = Recipes()
            return self._read_recipes

    def read(self, function: Callable[..., Any], name: str | None = None) -> tuple[Callable[..., Any], Signature]:
        """Read a handler; return what is to be called, and the signature with which to call it.

        A handler without dependencies is returned as it is. Raises TypeError, in one line, for what cannot be served.
        """
        signature = Signature.of(function, context_type=Context, name=name, mark_type=Mark)
        if not signature.marked:
            return function, signature
        from .one_thread import AfterStanding, InOneThread
        from .resolving import Resolved

        marked = {name: mark for name, mark in signature.marked.items() if isinstance(mark, Mark)}
        for mark in marked.values():
            self._recipes.check(mark)
        own = signature.context_parameter
        name_here = signature.context_parameter = own or _CONTEXT
        resolved = Resolved(
            function,
            marked,
            self._recipes,
            is_async=signature.is_async,
            context_name=name_here,
            takes_context=own is not None,
        )
        if signature.is_async or not all(map(self._recipes.for_one_thread, marked.values())):
            signature.is_async = signature.may_suspend = True
            return resolved, signature
        called = InOneThread(function, marked, self._recipes, resolved, name_here, own is not None)
        if not any(self._recipes.standing(marked.values())):
            return called, signature
        signature.is_async = signature.may_suspend = True
        return AfterStanding(called, marked.values(), self._recipes, name_here), signature

    @contextmanager
    def override(self, dependency: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[None]:
        """Have `replacement` called instead of `dependency` for a while. Raises TypeError where it cannot be."""
        self._recipes.check(Mark(replacement))
        recipe = self._recipes.of(replacement)
        if self._recipes.reaches(recipe, dependency):
            raise TypeError(f"dependency {recipe.name}: it cannot depend on what it is to replace")
        before = self._recipes.replaced.get(dependency)
        self._recipes.replaced[dependency] = replacement
        try:
            yield
        finally:
            if before is None:
                del self._recipes.replaced[dependency]
            else:
                self._recipes.replaced[dependency] = before
