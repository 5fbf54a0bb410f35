"""HTTP/1.1 as a client reads it: heads and the framing of bodies, from bytes however they are cut.

It touches no network. What is not as RFC 9112 wants it is refused, since a message whose end is in doubt would lend its
bytes to the next one. Below: nothing of mcport.
"""

from __future__ import annotations

import re
from typing import Final

MOST_HEAD: Final = 64 * 1024
"""A head of more bytes is none."""

MOST_LINE: Final = 4096
"""The longest line with the size of a chunk, and the most that may stand behind the last chunk."""

Fields = list[tuple[bytes, bytes]]

_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\x00]*)?\Z")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r]*?)[ \t]*\Z")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\x00]*)?\r?\Z")


class NotHttp(Exception):
    """The other side says something that is not HTTP/1.1; the text says what."""


class Head:
    """The beginning of an answer. `length` is how many bytes the body has, None until its end says so."""

    __slots__ = ("chunked", "fields", "keeps", "length", "status")

    def __init__(self, status: int, fields: Fields, persistent: bool) -> None:
        self.status = status
        self.fields = fields
        codings = _all(fields, b"transfer-encoding")
        if codings not in ([], [b"chunked"]):
            raise NotHttp("a transfer coding that nobody asked for")
        self.chunked = bool(codings)
        self.length = 0 if status == 204 or status == 304 else _length(fields, self.chunked)
        said = {word.strip() for value in _all(fields, b"connection") for word in value.split(b",")}
        self.keeps = (persistent or b"keep-alive" in said) and b"close" not in said


def read_head(buffer: bytearray) -> Head | None:
    """Take a head off the buffer; None if it is not there as a whole. Raises `NotHttp`."""
    end = _END.search(buffer)
    if end is None:
        if len(buffer) > MOST_HEAD:
            raise NotHttp("a head without an end")
        return None
    first, *lines = bytes(buffer[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
    del buffer[: end.end()]
    status = _STATUS.match(first)
    if status is None:
        raise NotHttp(f"a first line such as {first[:40]!r}")
    return Head(int(status[2]), [_field(line) for line in lines], status[1] == b"1")


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.match(line)
    if found is None:
        raise NotHttp("a header that is none")
    return found[1].lower(), found[2]


def _all(fields: Fields, name: bytes) -> list[bytes]:
    return [value.lower() for each, value in fields if each == name]


def _length(fields: Fields, chunked: bool) -> int | None:
    lengths = set(_all(fields, b"content-length"))
    if not lengths:
        return None
    (length, *others) = lengths
    if chunked or others or not length.isdigit() or len(length) > 15:
        raise NotHttp("two ways to tell where the answer ends")
    return int(length)


class Chunks:
    """Takes the data out of a chunked body."""

    __slots__ = ("_left", "_trailing", "done")

    def __init__(self) -> None:
        self.done = False
        self._left = -1  # what is left of a chunk with the line break behind it; -1: a size comes next
        self._trailing = False

    def take(self, buffer: bytearray) -> bytes:
        """Take as much data off the buffer as there is of one chunk; nothing, if more bytes are needed."""
        while not self.done:
            if self._trailing or self._left < 0:
                line = _line(buffer)
                if line is None:
                    return b""
                self._read_line(line)
            elif self._left > 2:
                data = bytes(buffer[: self._left - 2])
                del buffer[: len(data)]
                self._left -= len(data)
                return data
            else:
                if len(buffer) < 2:
                    return b""
                self._end_chunk(buffer)
        return b""

    def _read_line(self, line: bytes) -> None:
        if self._trailing:
            self.done = line.rstrip(b"\r") == b""
            return
        size = _SIZE.match(line)
        if size is None:
            raise NotHttp("a chunk without a size")
        length = int(size[1], 16)
        self._trailing = length == 0
        self._left = length + 2

    def _end_chunk(self, buffer: bytearray) -> None:
        if buffer[:2] != b"\r\n":
            raise NotHttp("a chunk that is longer than it says")
        del buffer[:2]
        self._left = -1


def _line(buffer: bytearray) -> bytes | None:
    end = buffer.find(b"\n", 0, MOST_LINE)
    if end < 0:
        if len(buffer) >= MOST_LINE:
            raise NotHttp("a line without an end")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 1]
    return line
