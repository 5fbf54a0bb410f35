"""Everybody on one event loop who wants to hear of changes.

Notices come in from any thread and are handed on in the loop, in turns of bounded length. Two that say the same and
have not left yet leave as one, also for a client that reads slowly. Below: `session.loop`, `session.exchange`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.listening import KINDS, Kind, Topic
from mcport.core.jsonrpc import JsonObject, Notification
from mcport.core.limits import Limits
from mcport.session.exchange import Exchange, Outlet
from mcport.session.loop import Loop

from .notice import Notice

log: Final = logging.getLogger("mcport.server")

ANYTHING: Final[Topic] = ("", None)
"""The topic of those who hear all notices that nobody has to ask for."""

TURN: Final = 200
"""So many listeners are served in one turn of the loop, so that calls get their turns too."""

MakeOut: TypeAlias = Callable[[Notice], Notification]
"""Makes a notice out to one listener."""

Knows: TypeAlias = Callable[[str, Exchange, Admitted], bool]
"""Whether there is a resource of a URI for whoever asks."""


class Listener:
    """One client that hears of some topics, or one listening request of it. Used in the loop's thread only."""

    __slots__ = ("_audience", "_make_out", "_stuck", "_topics", "_waiting", "closed", "outlet", "queued")

    def __init__(self, audience: Audience, outlet: Outlet, make_out: MakeOut) -> None:
        self.outlet = outlet
        self.queued = False
        self.closed = False
        self._audience = audience
        self._make_out = make_out
        self._topics: set[Topic] = set()
        self._waiting: dict[object, Notice] = {}
        self._stuck = False

    def follow(self, topics: Iterable[Topic]) -> None:
        """Hear of these topics from now on."""
        for topic in topics:
            self._topics.add(topic)
            self._audience.index(topic, self)

    def leave(self, topic: Topic) -> None:
        """Hear of a topic no more."""
        self._topics.discard(topic)
        self._waiting.pop(topic, None)
        self._audience.forget(topic, self)

    def close(self) -> None:
        """Hear of nothing any more. Harmless the second time."""
        if not self.closed:
            self.closed = True
            for topic in self._topics:
                self._audience.forget(topic, self)
            self._waiting.clear()
            self._audience.left(self)

    def put(self, notice: Notice, most: int) -> None:
        """Keep a notice until it can leave; of those that do not merge, at most so many."""
        if notice.merges or len(self._waiting) < most:
            self._waiting[notice.key] = notice
        else:
            log.warning("%s was not sent to a client that reads too slowly (Limits.notices)", notice.method)

    def miss(self) -> None:
        """Something may have gone unheard: hear of all that may have changed."""
        for topic in sorted(self._topics, key=str):
            kind = self._audience.kinds.get(topic[0])
            if kind in KINDS:
                params: JsonObject | None = None if kind.names is None else {kind.names: topic[1]}
                self.put(Notice(kind.method, params, topic, merges=True), self._audience.limits.notices)
        self.flush()

    def flush(self) -> None:
        """Send what waits, unless the other side is too slow to take more; then when it has read."""
        while self._waiting and not self.closed:
            if self.outlet.full:
                if not self._stuck:
                    self._stuck = True
                    self.outlet.loop.keep(self._when_read())
                return
            self.outlet.tell(self._make_out(self._waiting.pop(next(iter(self._waiting)))))

    async def _when_read(self) -> None:
        await self.outlet.drained()
        self._stuck = False
        self.flush()


class Audience:
    """The listeners of one loop, by topic. `kinds` are the notifications that are told to those who ask for them."""

    def __init__(self, loop: Loop, limits: Limits, kinds: Mapping[str, Kind]) -> None:
        self.limits = limits
        self.kinds = kinds
        self._loop = loop
        self._lock = threading.Lock()
        self._incoming: dict[object, Notice] = {}
        self._due = False
        self._by_topic: dict[Topic, dict[Listener, None]] = {}
        self._listeners: set[Listener] = set()
        self._queue: deque[Listener] = deque()

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self, outlet: Outlet, topics: Iterable[Topic], make_out: MakeOut) -> Listener:
        """Add a listener for these topics."""
        listener = Listener(self, outlet, make_out)
        self._listeners.add(listener)
        listener.follow(topics)
        return listener

    # ---- what listeners say

    def index(self, topic: Topic, listener: Listener) -> None:
        """A listener hears of a topic."""
        self._by_topic.setdefault(topic, {})[listener] = None

    def forget(self, topic: Topic, listener: Listener) -> None:
        """A listener hears of a topic no more."""
        hearers = self._by_topic.get(topic)
        if hearers is not None:
            hearers.pop(listener, None)
            if not hearers:
                del self._by_topic[topic]

    def left(self, listener: Listener) -> None:
        """A listener is gone."""
        self._listeners.discard(listener)

    # ---- what comes in

    def hear(self, notice: Notice) -> None:
        """Take a notice in, from any thread; never waits."""
        if notice.topic not in self._by_topic:
            return
        with self._lock:
            if not notice.merges and len(self._incoming) >= self.limits.notices:
                log.warning("%s was not sent: too many wait already (Limits.notices)", notice.method)
                return
            self._incoming[notice.key] = notice
            if self._due:
                return
            self._due = True
        self._loop.soon_from_thread(self._spread)

    def hurry(self, listener: Listener) -> None:
        """Send a listener what it has to hear of and has not heard yet."""
        self._spread()
        listener.flush()

    def _spread(self) -> None:
        with self._lock:
            incoming, self._incoming, self._due = self._incoming, {}, False
        for notice in incoming.values():
            for listener in self._by_topic.get(notice.topic, ()):
                listener.put(notice, self.limits.notices)
                if not listener.queued:
                    listener.queued = True
                    self._queue.append(listener)
        self._serve()

    def _serve(self) -> None:
        for _ in range(min(TURN, len(self._queue))):
            listener = self._queue.popleft()
            listener.queued = False
            try:
                listener.flush()
            except Exception:
                log.exception("a client could not be told of a change")
        if self._queue:
            self._loop.soon(self._serve)
