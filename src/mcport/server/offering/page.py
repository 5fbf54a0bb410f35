"""One page of a list that clients page through, in the words of each revision.

It is written from what the entries say of themselves, so that a list can be answered before the types of the facade,
which take as long to load as all of mcport, are there; whoever looks at a page is given it as one of them. Below:
`envelope`, `cache_hint`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from mcport.core.dialects.contract import COMPLETE
from mcport.core.dialects.envelope import Written
from mcport.core.jsonrpc import JsonObject, dump
from mcport.spec.revisions import LATEST, REVISIONS, Revision

from .cache_hint import CacheHint

if TYPE_CHECKING:
    from mcport.spec.model import Model


class Listed(Protocol):
    """Something that stands on a page."""

    def members(self, revision: Revision) -> JsonObject:
        """Return what is said of it in a revision; None stands for nothing."""
        ...


class Page(Written):
    """A page of these entries. `member` is what the list is called on the wire, `kind` gives the type of its page."""

    def __init__(
        self,
        member: str,
        kind: Callable[[], type[Model]],
        entries: Sequence[Listed],
        cursor: str | None,
        hint: CacheHint,
    ) -> None:
        self._member = member
        self._kind = kind
        self._entries = entries
        self._cursor = cursor
        self._hint = hint

    @property
    def kind(self) -> type[Model]:
        return self._kind()

    def model(self) -> Model:
        return self._hint.put(self.kind.from_wire(self._said(LATEST)))

    def to_json(self, revision: str) -> bytes:
        spoken = REVISIONS[revision]
        if not spoken.caches_results:
            return dump(self._said(spoken))
        hint = {"cacheScope": self._hint.scope, "resultType": COMPLETE, "ttlMs": self._hint.ttl_ms}
        return dump({**hint, **self._said(spoken)})

    def _said(self, revision: Revision) -> JsonObject:
        cursor: JsonObject = {} if self._cursor is None else {"nextCursor": self._cursor}
        return {**cursor, self._member: [given(**entry.members(revision)) for entry in self._entries]}


def given(**members: object) -> JsonObject:
    """Return the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def in_words(kind: str, value: object, revision: Revision) -> object:
    """Return a value of that type of the facade, or what can be read as one, or several, as JSON for a revision."""
    if value is None:
        return None
    from mcport.spec import types

    model: type[Model] = getattr(types, kind)
    if isinstance(value, list | tuple):
        return [model.model_validate(each).to_wire(revision.name) for each in value]
    return model.model_validate(value).to_wire(revision.name)
