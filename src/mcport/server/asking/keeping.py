"""What a handler does once over all rounds: its result is kept in the book, so that a later round need not do it again.

Below: `core.asking.rounds`, pydantic.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, get_type_hints

from mcport.core.asking.rounds import NOTHING
from mcport.core.jsonrpc import dump, parse_json

if TYPE_CHECKING:
    from .asker import Asker

UseUp = Callable[[str], Awaitable[None]]
"""Uses a name up for all time, or raises where that was done before."""


async def once(asker: Asker, key: str, function: Callable[[], Any], kind: Any, use_up: UseUp | None) -> Any:
    """Return the value of `function`, which is called in the first round that comes here and not again.

    It comes back as JSON would bring it, typed as `kind` or as the function says, in the first round as in later ones.
    """
    await asker.check_in()
    asker.rounds.name(key)
    adapter = _adapter(_returned(function) if kind is None else kind)
    kept = asker.rounds.kept(key)
    if kept is NOTHING:
        if use_up is not None:
            await use_up(f"{asker.rounds.chain}.{key}")
        try:
            value = function()
            if inspect.isawaitable(value):
                value = await value
        except Exception:
            if use_up is None:
                asker.rounds.unname(key)  # nothing was done: who catches this may try again
            raise
        kept = parse_json(_dumped(adapter, value, key))
        asker.rounds.keep(key, kept)
    return kept if adapter is None else adapter.validate_python(kept)


def _dumped(adapter: Any, value: Any, key: str) -> bytes:
    try:
        return dump(value) if adapter is None else bytes(adapter.dump_json(value))
    except ValueError as error:
        raise TypeError(f"once: what {key!r} returned cannot be JSON: {error}") from None


def _adapter(kind: Any) -> Any:
    if kind is None or kind is inspect.Signature.empty or kind is Any:
        return None
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _returned(function: Callable[[], Any]) -> Any:
    """The type that a function says it returns, if it says so."""
    try:
        return get_type_hints(function).get("return")
    except (NameError, TypeError, AttributeError):
        return None
