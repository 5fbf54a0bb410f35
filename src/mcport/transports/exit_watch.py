"""The end of one child process: when it came, and with which code.

On Linux a process descriptor is watched, so that no thread waits and the child is not reaped by being looked at: its
number, and so the number of its process group, stays its own until `reap`. Elsewhere a thread waits. Knows nothing of
pipes; below sits only the loop port.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import anyio

from mcport.session.loop import Loop, Stoppable

# What is reported if somebody else in this process has collected the exit status.
LOST_STATUS: Final = 255


class ExitWatch:
    """Waits for a child from inside the running event loop.

    `before_telling` is called in the loop when the child has ended, before any waiter learns of it; `in_thread` is
    called in the waiting thread, if there is one.
    """

    def __init__(
        self,
        loop: Loop,
        process: subprocess.Popen[bytes],
        *,
        before_telling: Callable[[], object],
        in_thread: Callable[[], object],
    ) -> None:
        self._process = process
        self._before_telling = before_telling
        self._code: int | None = None
        self._told = anyio.Event()
        self._watch: Stoppable | None = None
        self._fd = _process_descriptor(process.pid)
        if self._fd >= 0:
            self._watch = loop.watch_reading(self._fd, self._look)
        else:
            arguments = (process, in_thread, loop, self._tell)
            threading.Thread(target=_wait_in_thread, args=arguments, name="mcport-exit", daemon=True).start()

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; `None` before the end."""
        return self._code

    async def wait(self) -> int:
        """Wait for the end and return the exit code."""
        await self._told.wait()
        return LOST_STATUS if self._code is None else self._code

    def reap(self) -> None:
        """Collect a child that has ended; from now on its number may be given to another process."""
        self._process.poll()

    def close(self) -> None:
        """Stop watching. Whoever still waits gets what is known of the code now."""
        self._close_descriptor()
        if not self._told.is_set():
            self._tell(self._process.returncode)

    def _look(self) -> None:
        # A watch may still call when it was readable in the moment of its end, and by then the child may be reaped.
        code = None if self._watch is None else _peek(self._process.pid, block=False)
        if code is not None:
            self._close_descriptor()
            self._tell(code)

    def _tell(self, code: int | None) -> None:
        if not self._told.is_set():
            self._code = code
            self._before_telling()
            self._told.set()

    def _close_descriptor(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
            os.close(self._fd)


def _process_descriptor(pid: int) -> int:
    if sys.platform == "linux":
        # Missing on kernels before 5.3 and in some sandboxes.
        with suppress(OSError, AttributeError):
            return os.pidfd_open(pid)
    return -1


def _peek(pid: int, *, block: bool) -> int | None:
    """Return the exit code of a child that has ended, and leave it to be reaped."""
    if sys.platform == "linux":
        try:
            facts = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | (0 if block else os.WNOHANG))
        except ChildProcessError:
            return LOST_STATUS
        if facts is not None:
            return facts.si_status if facts.si_code == os.CLD_EXITED else -facts.si_status
    return None


def _wait_in_thread(
    process: subprocess.Popen[bytes],
    in_thread: Callable[[], object],
    loop: Loop,
    tell: Callable[[int | None], None],
) -> None:
    code = _peek(process.pid, block=True) if sys.platform == "linux" else process.wait()
    in_thread()
    loop.soon_from_thread(functools.partial(tell, code))
