"""A list that clients page through: tools, resources, templates, prompts.

Entries keep the order in which they were added, and come and go from any thread while the list is served. A page is
built once and then stays as it is until the list changes; its cursor stands for the last entry before it, goes on
working when that entry is taken away, and clients read nothing from it (server/utilities/pagination). Where entries
are not for everybody, pages are built for whoever asks, and for nobody else. Below: `page`, `visibility`,
`cache_hint`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from threading import RLock
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.envelope import Fixed
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InvalidParams
from mcport.record import Record
from mcport.session.exchange import Exchange

from .cache_hint import NEVER, CacheHint
from .suggestions import did_you_mean
from .visibility import Sight, Visible

if TYPE_CHECKING:
    from mcport.spec.model import Model
    from mcport.spec.revisions import Revision

    from .page import Page

EntryT = TypeVar("EntryT", bound="Entry")

_REMEMBERED: Final = 1000
"""So many entries that were taken away are remembered, for clients that are paging."""


class Entry(Protocol):
    """Something that can be listed: it has a key, says what it is, and may be hidden."""

    @property
    def key(self) -> str: ...

    @property
    def visible(self) -> Visible | None: ...

    def members(self, revision: Revision) -> JsonObject: ...


class NotThere(KeyError):
    """What was to be taken away is not there; unlike that of a plain KeyError its text is shown as it is."""

    def __str__(self) -> str:
        return str(self.args[0])


class _State(Record, Generic[EntryT], frozen=False):
    """A list as it is until its next change, with what was built from it."""

    entries: list[EntryT]
    serials: dict[str, int]
    """The how-manieth that was added each entry is, by key."""
    open: bool
    """Whether everybody sees every entry."""
    pages: dict[str | None, Fixed] = field(default_factory=dict)
    after: dict[str, int] | None = None


class Listing(Generic[EntryT]):
    """Entries by key, and the pages that show them.

    `member` is what the list is called on the wire, `page` gives the type of a page of it. `size` bounds a page, None
    puts all on one. `changed` is called after every change, by the thread that makes it. `sight` judges who sees what.
    `hint` says how long clients may keep a page, and for whom: the same for every page.
    """

    def __init__(
        self,
        kind: str,
        member: str,
        page: Callable[[], type[Model]],
        size: int | None,
        changed: Callable[[], None],
        sight: Sight,
        hint: CacheHint = NEVER,
    ) -> None:
        self._kind = kind
        self._member = member
        self._page = page
        self._size = size
        self._changed = changed
        self._judge = sight.judge
        self.served = False
        """Whether there is such a list at all. Once it had an entry it stays, if only an empty one."""
        self._lock = RLock()
        self._hint = hint
        self._entries: dict[str, EntryT] = {}
        self._for_all: dict[str, EntryT] = {}
        self._serials: dict[str, int] = {}
        self._added = 0
        self._gone: dict[str, int] = {}
        self._state: _State[EntryT] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[EntryT]:
        return iter(self._now().entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __getitem__(self, key: str) -> EntryT:
        """Return an entry, whoever may see it. Raises KeyError if there is none of that key."""
        return self._entries[key]

    def get(self, key: object) -> EntryT | None:
        """Return the entry of this key, if there is one that everybody sees; a key that is no string names none."""
        return self._for_all.get(key) if type(key) is str else None

    def known(self, key: object) -> EntryT | None:
        """Return the entry of this key, whoever may see it; a key that is no string names none."""
        return self._entries.get(key) if type(key) is str else None

    def find(self, key: str, exchange: Exchange, admitted: Admitted) -> EntryT | None:
        """Return the entry of this key, if there is one that whoever asks may see."""
        entry = self._entries.get(key)
        return entry if entry is not None and self._judge(exchange, admitted)(entry) else None

    def seen(self, exchange: Exchange, admitted: Admitted) -> list[EntryT]:
        """Return all entries that whoever asks may see."""
        state = self._now()
        return state.entries if state.open else self._seen(state, exchange, admitted)

    def keys(self) -> list[str]:
        """Return all keys in order."""
        return list(self._entries)

    # ---- changes, from any thread

    def add(self, entry: EntryT) -> None:
        """Add an entry at the end. Raises ValueError if its key is taken."""
        with self._lock:
            if entry.key in self._entries:
                taken = f"the {self._kind} {entry.key!r} is there already"
                raise ValueError(f"{taken}: take that one away first, or call this one something else")
            self._added += 1
            self.served = True
            self._serials[entry.key] = self._added
            self._entries[entry.key] = entry
            if entry.visible is None:
                self._for_all[entry.key] = entry
            self._state = None
        self._changed()

    def remove(self, key: str) -> None:
        """Take an entry away; calls of it that run already go on. Raises KeyError if there is none of that key."""
        with self._lock:
            if key not in self._entries:
                raise NotThere(f"there is no {self._kind} {key!r}.{did_you_mean(str(key), self._entries)}")
            serial = self._serials.pop(key)
            if self._for_all.pop(key, None) is not None:
                self._remember(key, serial)
            del self._entries[key]
            self._state = None
        self._changed()

    def _remember(self, key: str, serial: int) -> None:
        """Keep the place of an entry that goes: somebody may be at the page after it."""
        if self._size is not None:
            self._gone[write_cursor(key, serial)] = serial
            if len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]

    def _seen(self, state: _State[EntryT], exchange: Exchange, admitted: Admitted) -> list[EntryT]:
        sees = self._judge(exchange, admitted)
        return [entry for entry in state.entries if sees(entry)]

    def _now(self) -> _State[EntryT]:
        state = self._state
        if state is None:
            with self._lock:
                entries = list(self._entries.values())
                state = self._state = _State(entries, dict(self._serials), len(self._for_all) == len(entries))
        return state

    # ---- pages

    async def answer(self, exchange: Exchange, admitted: Admitted) -> Fixed | Page:
        """Serve the list method: the page that the cursor names, the first without one."""
        state, params = self._now(), exchange.asked.params
        if not state.open:
            state = _State(self._seen(state, exchange, admitted), state.serials, open=False)
            return self._build(state, params)[0]
        cursor = params.get("cursor")
        page = state.pages.get(cursor) if cursor is None or type(cursor) is str else None
        return page if page is not None else self._built(state, params)

    def _built(self, state: _State[EntryT], params: JsonObject) -> Fixed:
        result, start = self._build(state, params)
        fixed = Fixed(result)
        if start == 0 or (self._size is not None and start % self._size == 0):
            # Pages that begin elsewhere, after a list has changed under a client, are not worth keeping.
            state.pages[params.get("cursor")] = fixed
        return fixed

    def _build(self, state: _State[EntryT], params: JsonObject) -> tuple[Page, int]:
        """Make the page that a request asks for; return it and where it begins."""
        from .page import Page

        cursor, entries = params.get("cursor"), state.entries
        start = 0 if cursor is None else self._position(state, cursor)
        end = len(entries) if self._size is None else min(start + self._size, len(entries))
        following = _cursor(state, entries[end - 1]) if end < len(entries) else None
        hint = self._hint if state.open else self._hint.but(scope="private")
        return Page(self._member, self._page, entries[start:end], following, hint), start

    def _position(self, state: _State[EntryT], cursor: object) -> int:
        """Return where the page after a cursor begins; raises `InvalidParams` for a cursor that is not of this list.

        A cursor whose entry is gone stands for the first entry that was added after it.
        """
        if type(cursor) is str and self._size is not None:
            if state.after is None:
                state.after = {_cursor(state, entry): index for index, entry in enumerate(state.entries, start=1)}
            start = state.after.get(cursor)
            if start is not None:
                return start
            serial = self._gone.get(cursor)
            if serial is not None:
                return sum(state.serials[entry.key] < serial for entry in state.entries)
        raise InvalidParams(f"the cursor is not one of this list of {self._kind}s")


def _cursor(state: _State[EntryT], entry: EntryT) -> str:
    return write_cursor(entry.key, state.serials[entry.key])


def write_cursor(key: str, serial: int) -> str:
    """Return the cursor of the page after an entry: a short word from which nobody reads anything."""
    import hashlib  # only lists of several pages need it

    return hashlib.blake2b(f"{serial} {key}".encode("utf-8", "replace"), digest_size=12).hexdigest()
