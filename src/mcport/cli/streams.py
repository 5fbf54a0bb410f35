"""The three standard streams, where they are missing, or nobody takes what is written.

A program may be started with any of them closed. Below: the standard library.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Final

_STREAMS: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}


def have_streams() -> None:
    """Put the null device where a stream was closed: what is written there is for nobody, and nothing comes."""
    for name, mode in _STREAMS.items():
        if getattr(sys, name) is None:
            # In this order each gets back the descriptor that children expect it at.
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(null, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # for as long as we live


def give_up_writing(error: OSError) -> None:
    """Write no more where nobody reads, and say so where there is no room; raises any other error."""
    if not isinstance(error, BrokenPipeError) and error.errno not in (errno.ENOSPC, errno.EIO):
        raise error
    null = os.open(os.devnull, os.O_WRONLY)
    if not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            print(f"mcport: the output cannot be written: {error.strerror}", file=sys.stderr, flush=True)
    # The interpreter would complain when it flushes what is left.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
