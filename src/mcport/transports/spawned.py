"""A process just started, with its tree and the parent's ends of its pipes.

Plain synchronous code around `subprocess.Popen`, without a shell: what can be done to a child without an event loop,
so that destructors and the interpreter's exit can do it too. Below sit the command and the tree.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Final

from mcport.transports.command import Command
from mcport.transports.ending import end_at_once, tree_of

if sys.platform == "win32":
    CREATION_FLAGS: Final = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    CREATION_FLAGS: Final = 0


class Spawned:
    """A process just started, before anybody watches it. `stderr_fd` belongs to whoever reads stderr."""

    def __init__(self, process: subprocess.Popen[bytes], stdin_fd: int, stdout_fd: int, stderr_fd: int) -> None:
        self.process = process
        self.tree = tree_of(process)
        self.stdin_fd = stdin_fd
        self.stdout_fd = stdout_fd
        self.stderr_fd = stderr_fd
        self._owner = os.getpid()

    @classmethod
    def of(cls, command: Command, program: str, env: Mapping[str, str], cwd: str | None) -> Spawned:
        """Start `program`. Raises `OSError`, and then leaves no descriptor behind."""
        with ExitStack() as theirs, ExitStack() as ours:
            child_stdin, stdin = _pipe(theirs, ours)
            stdout, child_stdout = _pipe(ours, theirs)
            stderr, child_stderr = _pipe(ours, theirs)
            process = subprocess.Popen(
                # cmd.exe would search a batch file once more, unless the line begins with its whole path.
                (program, *command.argv[1:]) if sys.platform == "win32" else command.argv,
                executable=None if sys.platform == "win32" else program,
                stdin=child_stdin,
                stdout=child_stdout,
                stderr=child_stderr,
                env=env,
                cwd=cwd,
                close_fds=True,
                start_new_session=True,
                creationflags=CREATION_FLAGS,
            )
            ours.pop_all()
        return cls(process, stdin, stdout, stderr)

    def close_stdin(self) -> None:
        """Tell the child that nothing more will come."""
        fd, self.stdin_fd = self.stdin_fd, -1
        _close(fd)

    def release(self) -> None:
        """End at once what is left of the tree, and close the pipes. Does nothing in a fork of the parent."""
        if os.getpid() == self._owner:
            end_at_once(self.tree, self.process)
            self.close_stdin()
            fd, self.stdout_fd = self.stdout_fd, -1
            _close(fd)


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[int, int]:
    """Make a pipe and leave its ends to their owners; neither is inherited unless it is handed over by name."""
    reader, writer = os.pipe()
    reading.callback(os.close, reader)
    writing.callback(os.close, writer)
    return reader, writer


def _close(fd: int) -> None:
    # Somebody who closed what was lent must not keep the rest of an ending from happening.
    if fd >= 0:
        with suppress(OSError):
            os.close(fd)
