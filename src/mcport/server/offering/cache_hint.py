"""How long, and for whom, a result may be kept by clients (2026-07-28 server/utilities/caching).

Below: nothing of mcport but its types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from mcport.core.jsonrpc import JsonObject

if TYPE_CHECKING:
    from mcport.spec.model import Model

Scope: TypeAlias = Literal["public", "private"]
Kind: TypeAlias = Literal["tools", "prompts", "resources", "templates", "discover"]

KINDS: Final = get_args(Kind)


@dataclass(frozen=True, slots=True)
class CacheHint:
    """A result is fresh for `ttl_ms` milliseconds; it is the same for everybody ("public"), or not ("private").

    Public results may be shown to anybody by caches on the way, whoever was let in to read them: say so only of what
    nobody needs to be let in for. Raises ValueError for a negative time and for another scope.
    """

    ttl_ms: int = 0
    scope: Scope = "private"

    def __post_init__(self) -> None:
        check_ttl(self.ttl_ms)
        if self.scope not in get_args(Scope):
            raise ValueError(f'the scope of a cached result is "public" or "private", not {self.scope!r}')

    def but(self, ttl_ms: int | None = None, scope: Scope | None = None) -> CacheHint:
        """Return a copy in which what is given is changed."""
        return CacheHint(self.ttl_ms if ttl_ms is None else ttl_ms, self.scope if scope is None else scope)

    def members(self) -> JsonObject:
        """Return the members of a result, as on the wire."""
        return {"ttlMs": self.ttl_ms, "cacheScope": self.scope}

    def put(self, result: Model) -> Model:
        """Return a cacheable result with this hint where it says nothing itself.

        Raises ValueError for a time of its own that is none: what a handler passes on was read as it came.
        """
        changes: JsonObject = {}
        own = getattr(result, "ttl_ms", None)
        if own is not None:
            check_ttl(own)
        elif self.ttl_ms:
            changes["ttl_ms"] = self.ttl_ms
        if getattr(result, "cache_scope", None) is None and self.scope != "private":
            changes["cache_scope"] = self.scope
        return result.model_copy(update=changes) if changes else result


def check_ttl(ttl_ms: object) -> None:
    """Raise ValueError for what is no time that a result may be kept."""
    if type(ttl_ms) is not int or ttl_ms < 0:
        raise ValueError(f"ttl_ms is a number of milliseconds, 0 or more, not {ttl_ms!r}")


NEVER: Final = CacheHint()
"""What says nothing, and what may not be kept: stale at once, for nobody else."""


def uncached(result: Model) -> Model:
    """Return a result that may not be kept, whatever it says: a retry's depends on more than its request shows."""
    if getattr(result, "ttl_ms", None) is None and getattr(result, "cache_scope", None) is None:
        return result
    return result.model_copy(update={"ttl_ms": 0, "cache_scope": "private"})


def is_retry(params: JsonObject) -> bool:
    """Whether a request is a retry with answers (2026-07-28 basic/patterns/mrtr)."""
    return "inputResponses" in params or "requestState" in params


def hints_of_lists(default: CacheHint, lists: CacheHint | Mapping[str, CacheHint] | None) -> dict[str, CacheHint]:
    """Return the hint of each kind of list, and of `discover`. Raises ValueError for an unknown kind."""
    if isinstance(lists, CacheHint):
        return {**dict.fromkeys(KINDS, lists), "discover": default}
    given = dict(lists or {})
    if unknown := [kind for kind in given if kind not in KINDS]:
        raise ValueError(f"cache_lists has no {unknown[0]!r}; it takes {', '.join(KINDS)}")
    return {**dict.fromkeys(KINDS, default), **given}
