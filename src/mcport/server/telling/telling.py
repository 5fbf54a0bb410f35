"""Where a server's changes are told, and where those who listen to it meet.

Below: `audience`, `notice`, `stores.notices`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from mcport.core.dialects.listening import KINDS, Kind
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import Limits
from mcport.session.loop import Loop
from mcport.spec.methods import METHODS
from mcport.stores.notices import MemoryNotices, Notices

from .audience import ANYTHING, Audience
from .notice import Notice, read_notice, write_notice

log: Final = logging.getLogger("mcport.server")


class Telling:
    """Tells the listeners of one server, on all its event loops. Calls may come from any thread."""

    def __init__(self, limits: Limits, notices: Notices | None = None) -> None:
        self.kinds: dict[str, Kind] = {kind.method: kind for kind in KINDS}
        """What clients have to ask for, by the notification's method. Extensions add theirs before anybody connects."""
        self._limits = limits
        self.notices: Notices = notices or MemoryNotices()
        """Carries news to the other workers, and about other subjects (`stores.notices.About`) as well."""
        self._lock = threading.Lock()
        self._audiences: tuple[Audience, ...] = ()
        self._stop: Callable[[], None] | None = None

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        """Tell everybody who wants to hear of it; never waits.

        Raises TypeError for parameters that are no object, ValueError for some that cannot be JSON, for what is no
        method, and for a notification that is not about a change.
        """
        if type(method) is not str or not method:
            raise ValueError(f"a notification has a method, such as 'com.example/changed', not {method!r}")
        if params is not None and type(params) is not dict:
            raise TypeError(f"{method}: params are a dict or None, not {type(params).__name__}")
        kind = self.kinds.get(method)
        if kind is None and method in METHODS:
            raise ValueError(f"{method!r} is not told to everybody: it belongs to one request or one client")
        if kind is not None and kind.names is not None and type((params or {}).get(kind.names)) is not str:
            raise ValueError(f"{method}: {kind.names} must be a string")
        self.notices.publish(write_notice(method, params))

    def changed(self, method: str) -> None:
        """Something of this server changed by itself: told once anybody is connected, and not while it is made."""
        if self._audiences:
            self.tell(method)

    # ---- who listens

    def open(self, loop: Loop) -> Audience:
        """Return a new audience on a loop; give it back with `close`."""
        audience = Audience(loop, self._limits, self.kinds)
        with self._lock:
            self._audiences = (*self._audiences, audience)
            if self._stop is None:
                self._stop = self.notices.listen(self._hear)
        return audience

    def close(self, audience: Audience) -> None:
        """An audience has gone home."""
        with self._lock:
            self._audiences = tuple(each for each in self._audiences if each is not audience)
            if not self._audiences and self._stop is not None:
                self._stop()
                self._stop = None

    def _hear(self, data: bytes) -> None:
        if not data.startswith(b"{"):
            return  # about another subject
        try:
            method, params = read_notice(data)
        except ValueError as error:
            log.warning("a notice that cannot be read is ignored: %s", error)
            return
        kind = self.kinds.get(method)
        topic = ANYTHING if kind is None else kind.topic(params)
        if kind is not None and kind.names is not None and type(topic[1]) is not str:
            log.warning("a notice %s that does not say what changed is ignored", method)
            return
        notice = Notice(method, params, topic, merges=kind is not None and kind in KINDS)
        for audience in self._audiences:
            audience.hear(notice)
