"""Server-Sent Events: bytes cut into events, and events written as bytes.

It knows the `text/event-stream` format and one bound, nothing of JSON, HTTP or who is talking. Every byte is looked at
once, however the stream is chopped. What is to be ignored (comments, unknown fields) is never gathered, so that a line
without end costs no memory.

The rules are those of the HTML standard (html.spec.whatwg.org, section 9.2), and the event
id and reconnection time of a stream outlive its connection as they do there. Four things are ours:

- The data of an event stays bytes, since JSON is judged where it is parsed; `ServerSentEvent.text` is the text that the
  standard speaks of, with U+FFFD for what is not UTF-8.
- An event whose data is longer than the bound comes out as `Oversized` with both its ends, when its blank line is
  reached. The stream goes on, and its id counts: resuming does not meet the same event again.
- An `event`, `id` or `retry` line of more than `FIELD_BYTES` is ignored like an id that holds NUL.
- The reconnection time is kept between `SHORTEST_RETRY` and `LONGEST_RETRY`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from .framing import EDGE, Oversized

FIELD_BYTES: Final = 1024
"""The longest value of a field other than `data`."""

SHORTEST_RETRY: Final = 0.1
"""The least a server can ask a client to wait before it connects again, in seconds."""

LONGEST_RETRY: Final = 60.0
"""The most a server can ask a client to wait before it connects again, in seconds."""

_MARK: Final = b"\xef\xbb\xbf"
_WINDOW: Final = 64 * 1024
_FIELDS: Final = (b"event:", b"id:", b"retry:")
_PREFIX: Final = 6  # so many bytes tell which field a line holds, and whether a blank stands before its value


@dataclass(slots=True)
class ServerSentEvent:
    """One event: its data, its type, and the event id of the stream once it is taken in."""

    data: bytes
    event: str = "message"
    id: str = ""

    @property
    def text(self) -> str:
        """The data as text; what is not UTF-8 becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


Item: TypeAlias = ServerSentEvent | Oversized


class _Line(Enum):
    """What is known of the line that has begun and not ended."""

    NONE = "no byte of it has come"
    UNTOLD = "too short to tell"
    DATA = "its value goes to the event"
    FIELD = "a short field, gathered whole"
    IGNORED = "dropped as it comes"


class EventDecoder:
    """Reads one connection's worth of an event stream.

    Args:
        limit: the most bytes that the data of one event may have.
        last_event_id: the id that a former connection of the same stream ended with.
        retry: the reconnection time that it ended with, in seconds.

    Attributes:
        last_event_id: what to send as `Last-Event-ID` when connecting again; "" for nothing.
        retry: how long to wait before that, in seconds; None if the server did not say.
    """

    __slots__ = (
        "_after_cr",
        "_begun",
        "_data",
        "_event",
        "_head",
        "_held",
        "_id",
        "_limit",
        "_line",
        "_size",
        "_state",
        "last_event_id",
        "retry",
    )

    def __init__(self, limit: int, *, last_event_id: str = "", retry: float | None = None) -> None:
        self.last_event_id = last_event_id
        self.retry = retry
        self._limit = limit
        self._begun = False  # whether it is settled if the stream opens with a byte order mark
        self._held = b""
        self._after_cr = False  # a line ended with CR: an LF that follows belongs to it
        self._state = _Line.NONE
        self._line = bytearray()
        self._id = last_event_id
        self._event = ""
        self._data: bytes | bytearray | None = None  # None: the event has no data line yet
        self._size = 0
        self._head = b""  # the first bytes of an event whose data is not kept whole

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes of the stream; return the events that they complete.

        An event that has no blank line behind it when the stream ends never happened.
        """
        if not self._begun:
            chunk = self._without_mark(chunk)
        items: list[Item] = []
        for start in range(0, len(chunk), _WINDOW):
            # The lines of bytes end with LF, CR or CRLF and nothing else, as they do here.
            for piece in chunk[start : start + _WINDOW].splitlines(keepends=True):
                self._take(piece, items)
        return items

    def _without_mark(self, chunk: bytes) -> bytes:
        chunk = self._held + chunk
        if len(chunk) < len(_MARK) and _MARK.startswith(chunk):
            self._held = chunk
            return b""
        self._begun = True
        self._held = b""
        return chunk.removeprefix(_MARK)

    def _take(self, piece: bytes, items: list[Item]) -> None:
        """Take a line or a part of one."""
        if self._after_cr:
            self._after_cr = False
            if piece == b"\n":
                return
        line = piece.rstrip(b"\r\n")
        if len(line) == len(piece):
            self._continue_line(line)
            return
        self._after_cr = piece.endswith(b"\r")
        if self._state is not _Line.NONE:
            self._end_line(line)
        elif line.startswith(b"data: "):
            self._begin_data(line[6:])
        elif line:
            self._field(line)
        else:
            self._dispatch(items)

    def _continue_line(self, piece: bytes) -> None:
        match self._state:
            case _Line.DATA:
                self._grow(piece)
            case _Line.IGNORED:
                pass
            case _:
                self._line += piece
                self._state = self._classified()
                if self._state in (_Line.DATA, _Line.IGNORED):
                    self._line.clear()

    def _classified(self) -> _Line:
        line = self._line
        if len(line) < _PREFIX:
            return _Line.UNTOLD
        if line.startswith(b"data:"):
            self._begin_data(_value(bytes(line[5:])))
            return _Line.DATA
        if line.startswith(_FIELDS) and len(line) <= FIELD_BYTES + _PREFIX + 1:
            return _Line.FIELD
        return _Line.IGNORED

    def _end_line(self, rest: bytes) -> None:
        match self._state:
            case _Line.DATA:
                self._grow(rest)
            case _Line.IGNORED:
                pass
            case _:
                line = bytes(self._line) + rest
                self._line.clear()
                self._field(line)
        self._state = _Line.NONE

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = _value(value)
        if name == b"data":
            self._begin_data(value)
        elif len(value) > FIELD_BYTES:
            return
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = min(max(min(int(value), 1_000_000) / 1000, SHORTEST_RETRY), LONGEST_RETRY)

    def _begin_data(self, value: bytes) -> None:
        if self._data is not None:
            self._grow(b"\n" + value)
            return
        self._data = value
        self._size = len(value)

    def _grow(self, piece: bytes) -> None:
        data = self._data if isinstance(self._data, bytearray) else bytearray(self._data or b"")
        data += piece
        self._data = data
        self._size += len(piece)
        if self._size > self._limit:
            self._keep_ends(data)

    def _keep_ends(self, data: bytearray) -> None:
        if len(data) <= 2 * EDGE:
            return
        self._head = self._head or bytes(data[:EDGE])
        self._data = bytearray(data[-EDGE:])

    def _dispatch(self, items: list[Item]) -> None:
        self.last_event_id = self._id
        if self._data is not None:
            items.append(self._item(bytes(self._data)))
            self._data = None
            self._head = b""
            self._size = 0
        self._event = ""

    def _item(self, data: bytes) -> Item:
        if self._size > self._limit:
            return Oversized(self._size, self._head or data[:EDGE], data[-EDGE:])
        return ServerSentEvent(data, self._event or "message", self._id)


def _value(text: bytes) -> bytes:
    return text[1:] if text.startswith(b" ") else text


def encode_event(data: bytes, *, event: str | None = None, id: str | None = None, retry: float | None = None) -> bytes:
    """Write one event.

    Args:
        data: what it carries. Each of its lines becomes a line of the event; the reader sees LF between them.
        event: its type; a reader takes it for "message" if there is none.
        id: the event id that the reader's stream has from now on; "" clears it.
        retry: how long the reader should wait before it connects again, in seconds.

    Raises:
        ValueError: `event` or `id` has a line break, NUL or too many bytes, or `retry` is negative.
    """
    head = b"event: %b\n" % _short("event", event) if event else b""
    if id is not None:
        head += b"id: %b\n" % _short("id", id)
    if retry is not None:
        head += b"retry: %d\n" % _milliseconds(retry)
    if b"\n" in data or b"\r" in data:
        unified = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = unified.replace(b"\n", b"\ndata: ")
    return b"%bdata: %b\n\n" % (head, data)


def encode_comment(text: str = "") -> bytes:
    """Write a comment, which keeps a quiet connection alive and which readers skip.

    No blank line follows it: some readers make an empty event of one.

    Raises:
        ValueError: `text` has a line break.
    """
    if "\n" in text or "\r" in text:
        raise ValueError("an SSE comment cannot have a line break")
    return f": {text}\n".encode()


def _short(field: str, value: str) -> bytes:
    encoded = value.encode()
    if value.isprintable() and len(encoded) <= FIELD_BYTES:
        return encoded
    if b"\n" in encoded or b"\r" in encoded or b"\0" in encoded:
        raise ValueError(f"an SSE {field} cannot have a line break or NUL: {value[:80]!r}")
    if len(encoded) > FIELD_BYTES:
        raise ValueError(f"an SSE {field} has at most {FIELD_BYTES} bytes, not {len(encoded)}")
    return encoded


def _milliseconds(seconds: float) -> int:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"an SSE retry is a time in seconds, not {seconds}")
    return round(seconds * 1000)
