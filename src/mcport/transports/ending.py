"""How a tree of processes ends: asked first, then killed, none left behind.

A child is started as the leader of its own session and process group (on Windows: in a job object), so that the whole
tree can be reached, the real server behind an `npx` or a shell included. A process that left the group on purpose (a
daemon) is out of reach. Knows no pipes and no event loop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Final, Protocol

REAP_SECONDS: Final = 0.5


class ProcessTree(Protocol):
    """A child and what it started, as far as it can be reached."""

    def is_empty(self) -> bool:
        """Whether nobody is left. Ask only once the child itself has been reaped."""

    def ask_to_end(self) -> bool:
        """Ask all to end; `False` if this system knows no way to ask."""

    def kill(self) -> None:
        """End all at once, without asking."""

    def close(self) -> None:
        """Give back what the tree holds; what is still running may be killed by it."""


class LoneProcess:
    """A child without a tree: Windows, where the job object was refused."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def is_empty(self) -> bool:
        return self._process.returncode is not None

    def ask_to_end(self) -> bool:
        return False

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        pass


if sys.platform != "win32":

    class PosixGroup:
        """The process group that a child leads.

        The group's number cannot pass to strangers while a member lives or while its leader has not been reaped; once
        the group was seen empty after that, no signal is sent any more.
        """

        def __init__(self, leader: int) -> None:
            self._group = leader
            self._over = False

        def is_empty(self) -> bool:
            if not self._over:
                self._over = not self._signal(0) or not _has_living_members(self._group)
            return self._over

        def ask_to_end(self) -> bool:
            self._signal(signal.SIGTERM)
            return True

        def kill(self) -> None:
            self._signal(signal.SIGKILL)

        def close(self) -> None:
            self._over = True

        def _signal(self, number: int) -> bool:
            """Send a signal; `False` if nobody is there who may be signalled by this user."""
            if self._over:
                return False
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)
                return True
            return False


def tree_of(process: subprocess.Popen[bytes]) -> ProcessTree:
    """The tree that grows from a child which was started in a session of its own."""
    tree: ProcessTree = LoneProcess(process)
    if sys.platform != "win32":
        tree = PosixGroup(process.pid)
    else:
        from mcport.transports.windows_job import WindowsJob

        with suppress(OSError):
            tree = WindowsJob(process.pid)
    return tree


def end_at_once(tree: ProcessTree, process: subprocess.Popen[bytes]) -> None:
    """End a tree in plain synchronous code: for destructors, the interpreter's exit and broken clean-up.

    Blocks for as long as the kernel takes to end a killed process, and for `REAP_SECONDS` at most.
    """
    tree.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(REAP_SECONDS)
    tree.close()


def _has_living_members(group: int) -> bool:
    """Whether the group holds more than zombies, which stay for ever where process 1 reaps no orphans (containers)."""
    try:
        entries = os.listdir("/proc")
    except OSError:
        return True
    # Other systems, and sandboxes that hide the table of processes.
    if str(os.getpid()) not in entries:
        return True
    return any(_lives_in(entry, group) for entry in entries if entry.isdigit())


def _lives_in(entry: str, group: int) -> bool:
    try:
        with open(f"/proc/{entry}/stat", "rb") as file:
            # pid (name, which may hold anything) state ppid pgrp ...
            state, _, member_of = file.read().rpartition(b")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(member_of) == group and state not in (b"Z", b"X")
