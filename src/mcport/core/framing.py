"""Newline framing: a stream of bytes cut into lines, each of which is one message.

It knows bytes and one bound, nothing of JSON. Every byte is looked at once and copied at most twice, however the
stream is chopped: a long line is gathered in pieces and joined when its end is there. A line over the bound is not
kept: its first and last bytes are, so that whoever waits for it can be told.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from mcport.record import Record

EDGE: Final = 2048
"""How many bytes of either end of an oversized line are kept."""

CRUMBS: Final = 256
"""So many pieces of an unfinished line are joined into one: a line that comes byte by byte must not cost a hundred
times its size in little objects."""


class Oversized(Record, frozen=False):
    """A line that was longer than the bound: its size in bytes and both its ends."""

    size: int
    head: bytes
    tail: bytes


LONG: Final = 4096
"""From this many bytes on it pays to look for a newline before cutting: looking is much faster than cutting."""

Line: TypeAlias = bytes | Oversized


class Framer:
    """Cuts a stream of bytes into lines of at most `limit` bytes each, the newline not counted.

    A carriage return before the newline is left where it is: to JSON it is white space.
    """

    __slots__ = ("_crumbs", "_head", "_limit", "_parts", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._crumbs: list[bytes] = []
        self._size = 0
        self._head = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> list[Line]:
        """Take the next bytes of the stream and return the lines that they complete, empty lines left out."""
        if len(chunk) >= LONG and b"\n" not in chunk:
            self._keep(chunk)
            return []
        lines: list[Line] = chunk.split(b"\n")  # type: ignore[assignment]
        rest: bytes = lines.pop()  # type: ignore[assignment]
        if lines and self._size:
            lines[0] = self._complete(lines[0])  # type: ignore[arg-type]
        if rest:
            self._keep(rest)
        if len(chunk) > self._limit:
            lines = [self._bounded(line) for line in lines]
        if b"" in lines or b"\r" in lines:
            lines = [line for line in lines if line != b"" and line != b"\r"]
        return lines

    def end(self) -> list[Line]:
        """Say that the stream is over; return the last line if it lacked its newline."""
        return self.feed(b"\n") if self._size else []

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished line have come, kept or not."""
        return self._size

    def _keep(self, piece: bytes) -> None:
        """Take the next bytes of an unfinished line."""
        self._size += len(piece)
        if self._size > self._limit:
            self._keep_ends(piece)
            return
        self._crumbs.append(piece)
        if len(self._crumbs) == CRUMBS:
            self._parts.append(b"".join(self._crumbs))
            self._crumbs.clear()

    def _keep_ends(self, piece: bytes) -> None:
        """Keep the first and the last bytes only, of a line that is over the bound since now or before."""
        if self._size - len(piece) <= self._limit:
            self._head = self._tail = self._gathered()
        self._head = self._head[:EDGE] + piece[: max(0, EDGE - len(self._head))]
        self._tail = (self._tail[-EDGE:] + piece[-EDGE:])[-EDGE:]

    def _gathered(self) -> bytes:
        """Return what is kept of a line within the bound, and keep it no longer."""
        pieces = [*self._parts, *self._crumbs] if self._parts else self._crumbs
        line = b"".join(pieces)
        self._parts.clear()
        self._crumbs.clear()
        return line

    def _complete(self, last: bytes) -> Line:
        """Return the unfinished line, of which `last` is the end."""
        if last:
            self._keep(last)
        if self._size <= self._limit:
            line: Line = self._gathered()
        else:
            line = Oversized(self._size, self._head, self._tail)
            self._head = self._tail = b""
        self._size = 0
        return line

    def _bounded(self, line: Line) -> Line:
        if type(line) is bytes and len(line) > self._limit:
            return Oversized(len(line), line[:EDGE], line[-EDGE:])
        return line
