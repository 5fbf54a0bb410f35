"""Messages over this process's own stdin and stdout: how a server is served.

Below: `pipes`, `guarded_stdio`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mcport.session.channel import Channel
from mcport.session.loop import Loop

from .guarded_stdio import guarded_stdio
from .pipes import open_pipes

TERMINAL_HINT = (
    "This is an MCP server: it waits for a client on stdin, one JSON message a line. "
    "Start it from a client or try 'mcport demo'; Ctrl-C ends it.\n"
)


@contextmanager
def open_stdio(loop: Loop, limit: int) -> Iterator[Channel]:
    """Give a channel over this process's stdin and stdout; meanwhile prints of any kind go to stderr.

    A person who started the server at a terminal is told on stderr what it is waiting for.
    """
    with guarded_stdio() as (in_fd, out_fd):
        if os.isatty(in_fd):
            _tell_person()
        # The channel closes its descriptors, the guard its own.
        channel = open_pipes(loop, os.dup(in_fd), os.dup(out_fd), limit)
        try:
            yield channel
        finally:
            channel.close()


def _tell_person() -> None:
    # There may be no stderr, or nobody at its other end.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(TERMINAL_HINT)
        sys.stderr.flush()
