"""Limits on the calls of one handler: how long each may take, and how many may run at a time.

A handler without limits is called by `calling.call` alone; one with limits by a `Limited`, which is put in its place
when the handler is registered. Below: `calling`, `deadline`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from mcport.core.dialects.contract import Admitted
from mcport.server.handling.calling import Call, ThreadedHandler, call
from mcport.server.signature import Signature
from mcport.session.exchange import Exchange
from mcport.session.loop import Loop, Promise

from .deadline import Deadline, within


class _Turn:
    """Somebody who waits at a gate. `given`: the turn has come, and must be used or passed on."""

    __slots__ = ("given", "loop", "news")

    def __init__(self, loop: Loop) -> None:
        self.given = False
        self.loop = loop
        self.news: Promise[None] = loop.promise()

    def tell(self) -> None:
        """Something has changed: have the waiting task look."""
        if not self.news.done():
            self.news.set_result(None)


class Gate:
    """Lets so many calls in at a time; all others wait their turn, first come, first served.

    Calls come from any loop and leave from any thread.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = Lock()
        self._waiting: deque[_Turn] = deque()

    async def enter(self, exchange: Exchange) -> bool:
        """Wait for a turn. False: the request was cancelled meanwhile, and nobody entered."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = _Turn(exchange.outlet.loop)
            self._waiting.append(turn)
        exchange.stop = turn.tell
        entered = False
        try:
            if not exchange.cancelled:
                await turn.news
            entered = not exchange.cancelled
        finally:
            if not entered:
                self._give_up(turn)
        return entered

    def leave(self) -> None:
        """Let the next one in, from any thread."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            turn = self._waiting.popleft()
            turn.given = True
        turn.loop.soon_from_thread(turn.tell)

    def _give_up(self, turn: _Turn) -> None:
        """Who waited waits no more; a turn that came in the same moment is passed on."""
        with self._lock:
            if not turn.given:
                self._waiting.remove(turn)
        if turn.given:
            self.leave()


class _Pass:
    """One call's turn at a gate, given back once: by the call, or by the thread in which its function still runs."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._lock = Lock()
        self._in_thread = False
        self._over = False

    def leave(self) -> None:
        """The call is over. If a thread is still busy with it, the turn is given back at that thread's end."""
        with self._lock:
            if self._over:
                return
            self._over = True
            if self._in_thread:
                return
        self._gate.leave()

    def run(self, function: Callable[..., Any], /, **arguments: Any) -> Any:
        """Run the function in a thread, unless the call is over already."""
        with self._lock:
            if self._over:
                return None
            self._in_thread = True
        try:
            return function(**arguments)
        finally:
            self._thread_ended()

    def _thread_ended(self) -> None:
        with self._lock:
            self._in_thread = False
            if not self._over:
                return
        self._gate.leave()


class Limited:
    """Calls a handler within its limits: `seconds` for each call, at most so many calls at a time."""

    def __init__(self, seconds: float | None, most: int | None) -> None:
        self._seconds = seconds
        self._gate = None if most is None else Gate(most)

    async def __call__(
        self,
        function: Callable[..., Any],
        signature: Signature,
        arguments: dict[str, Any],
        exchange: Exchange,
        admitted: Admitted,
    ) -> Any:
        turn = None
        if self._gate is not None:
            if not await self._gate.enter(exchange):
                return None
            turn = _Pass(self._gate)

        async def run(deadline: Deadline | None) -> Any:
            try:
                if signature.is_async:
                    if deadline is not None:
                        deadline.start()
                    in_turn = function if turn is None else _in_turn(function, turn)
                    return await call(in_turn, signature, arguments, exchange, admitted)
                in_thread = _in_thread(function, deadline, turn, exchange.outlet.loop)
                return await call(in_thread, signature, arguments, exchange, admitted)
            finally:
                if turn is not None:
                    turn.leave()

        return await (run(None) if self._seconds is None else within(self._seconds, run, exchange))


def _in_turn(function: Callable[..., Any], turn: _Pass) -> Callable[..., Any]:
    """Return a coroutine function that keeps its turn until the thread that it may need is done."""
    return function.through(turn.run) if isinstance(function, ThreadedHandler) else function


def _in_thread(
    function: Callable[..., Any], deadline: Deadline | None, turn: _Pass | None, loop: Loop
) -> Callable[..., Any]:
    """Return what runs a plain function in its thread: its time begins there, and its turn may end there."""
    run = function if turn is None else partial(turn.run, function)
    if deadline is None:
        return run

    def begin(**arguments: Any) -> Any:
        loop.soon_from_thread(deadline.start)
        return run(**arguments)

    return begin


def limited(seconds: float | None, most: int | None) -> Call:
    """Return what calls a handler within limits. Raises TypeError or ValueError for limits that are none."""
    if seconds is None and most is None:
        return call
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
        raise TypeError(f"timeout is a number of seconds, not {type(seconds).__name__}")
    if seconds is not None and not 0 < seconds < math.inf:
        raise ValueError(f"timeout is a positive number of seconds, not {seconds}")
    if most is not None and type(most) is not int:
        raise TypeError(f"max_concurrency is a number of calls, not {type(most).__name__}")
    if most is not None and most < 1:
        raise ValueError(f"max_concurrency is at least 1, not {most}")
    return Limited(seconds, most)
