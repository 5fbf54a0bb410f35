"""Newline framing: a stream of bytes cut into lines, each of which is one message.

It knows bytes and one bound, nothing of JSON. Every byte is looked at once and copied at most once, however the
stream is chopped: a long line is gathered in pieces and joined when its end is there. A line over the bound is not
kept: its first and last bytes are, so that whoever waits for it can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

EDGE: Final = 2048
"""How many bytes of either end of an oversized line are kept."""


@dataclass(slots=True)
class Oversized:
    """A line that was longer than the bound: its size in bytes and both its ends."""

    size: int
    head: bytes
    tail: bytes


Line: TypeAlias = bytes | Oversized


class Framer:
    """Cuts a stream of bytes into lines of at most `limit` bytes each, the newline not counted."""

    __slots__ = ("_head", "_limit", "_parts", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._head = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> list[Line]:
        """Take the next bytes of the stream and return the lines that they complete, empty lines left out."""
        lines: list[Line] = chunk.split(b"\n")  # type: ignore[assignment]
        rest: bytes = lines.pop()  # type: ignore[assignment]
        if lines and self._size:
            lines[0] = self._complete(lines[0])  # type: ignore[arg-type]
        if rest:
            self._keep(rest)
        if len(chunk) <= self._limit:
            return [line for line in lines if line and line != b"\r"]
        return [self._bounded(line) for line in lines if line and line != b"\r"]

    def end(self) -> list[Line]:
        """Say that the stream is over; return the last line if it lacked its newline."""
        return [self._complete(b"")] if self._size else []

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished line have come, kept or not."""
        return self._size

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._limit:
            self._parts.append(piece)
            return
        if self._parts or not self._head:
            kept = b"".join(self._parts)
            self._parts.clear()
            self._head = (kept + piece)[:EDGE]
            piece = kept[-EDGE:] + piece
        self._tail = (self._tail + piece[-EDGE:])[-EDGE:]

    def _complete(self, last: bytes) -> Line:
        if last:
            self._keep(last)
        if self._size > self._limit:
            line: Line = Oversized(self._size, self._head, self._tail)
        else:
            line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._head = self._tail = b""
        return line

    def _bounded(self, line: Line) -> Line:
        if type(line) is bytes and len(line) > self._limit:
            return Oversized(len(line), line[:EDGE], line[-EDGE:])
        return line
