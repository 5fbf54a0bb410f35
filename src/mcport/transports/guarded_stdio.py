"""Standard input and output, kept for the protocol alone while a server uses them.

Only messages may reach a server's stdout (2025-11-25, basic/transports, stdio; 2026-07-28, basic/transports/stdio),
and everybody prints. So the two streams move to private descriptors that children do not inherit, and what stays at
their numbers is stderr and an empty input: for Python code, C code and child processes alike. A host that merges
stderr into stdout has asked for the mixture. Knows no messages and no event loop; only the standard library sits below.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, NamedTuple, TextIO

if sys.platform == "win32":
    import msvcrt

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2

_in_use = threading.Lock()


class PrivateStdio(NamedTuple):
    """The descriptors on which the protocol is spoken. They are lent: a channel that closes them takes duplicates."""

    input: int
    output: int


@contextmanager
def guarded_stdio() -> Iterator[PrivateStdio]:
    """Move standard input and output to private descriptors, and put all back at the end.

    Inside, descriptor 0 is the null device and descriptor 1 is stderr, `sys.stdin` is empty, and `print` writes to
    `sys.stderr`. What was printed before and still waits in a buffer goes to stderr too. A standard stream that is
    closed counts as the null device: its input is at an end, its output goes nowhere.

    Raises `RuntimeError` if a server of this process uses them already.
    """
    if not _in_use.acquire(blocking=False):
        raise RuntimeError(
            "Standard input and output are in use by another server of this process; "
            "serve this one over HTTP or a socket, or in a process of its own"
        )
    with ExitStack() as undo:
        undo.callback(_in_use.release)
        private = _move_descriptors(undo)
        _replace_streams(undo)
        yield private


def _move_descriptors(undo: ExitStack) -> PrivateStdio:
    for number in (STDIN, STDOUT, STDERR):
        _fill_gap(number, undo)
    private = PrivateStdio(_moved(STDIN, undo), _moved(STDOUT, undo))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, STDIN)
    os.close(null)
    # On Windows the C library hands the standard handles of the process on to these numbers as well.
    os.dup2(STDERR, STDOUT)
    return private


def _fill_gap(number: int, undo: ExitStack) -> None:
    """Open the null device where a standard descriptor is closed, lest a private one comes to lie there."""
    try:
        os.fstat(number)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null == number:
            os.set_inheritable(null, True)
        else:
            os.dup2(null, number)
            os.close(null)
        undo.callback(os.close, number)


def _moved(number: int, undo: ExitStack) -> int:
    """Return a private duplicate of a standard descriptor, from which it is put back at the end."""
    private = os.dup(number)
    undo.callback(os.close, private)
    undo.callback(os.dup2, private, number, os.get_inheritable(number))
    if sys.platform == "win32":
        msvcrt.setmode(private, os.O_BINARY)
    return private


def _replace_streams(undo: ExitStack) -> None:
    before = sys.stdin, sys.stdout
    # Descriptor 1 is stderr by now: what the program printed up to here must not reach the wire later.
    _flush(sys.stdout, sys.__stdout__)
    nothing = io.TextIOWrapper(io.BufferedReader(io.FileIO(STDIN, closefd=False)), encoding="utf-8")
    undo.callback(_put_back, *before, nothing)
    sys.stdin = nothing
    # Without a console there may be no stderr, and `print` knows how to write to nobody.
    sys.stdout = sys.stderr


def _put_back(stdin: TextIO, stdout: TextIO, nothing: TextIO) -> None:
    """Called while descriptor 1 still is stderr: who kept the old stream, or a C buffer, has written there."""
    _flush(stdout, sys.__stdout__, sys.stdout)
    _flush_c_streams()
    sys.stdin, sys.stdout = stdin, stdout
    nothing.close()


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        # Closed, detached, or somebody's replacement that is no real stream.
        with suppress(AttributeError, OSError, ValueError):
            if stream is not None:
                stream.flush()


def _flush_c_streams() -> None:
    """Empty the buffers of the C library, which `printf` fills and nobody else can see."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
        library.fflush(None)
