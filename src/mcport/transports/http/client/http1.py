"""HTTP/1.1 of one connection, without a network: requests become bytes, and bytes, however they are cut, an answer.

h11 does the reading. What it leaves to its users is here: what cannot be an answer, hints without end, two ways to tell
where a body ends, and when a connection may carry another request. Below: h11.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import h11

MOST_HEAD: Final = 64 * 1024
"""A head, the line with the size of a chunk, or what stands behind the last chunk: of more bytes it is none."""

MOST_INTERIM: Final = 50
"""So many answers that only announce another one (1xx) may come before it."""

Fields = list[tuple[bytes, bytes]]

_START: Final = b"HTTP/1."

_ENDING: Final = 8  # so many pieces are read for the sake of an end that may stand behind them


class NotHttp(Exception):
    """The other side says something that is not HTTP/1.1; the text says what."""


class CutOff(NotHttp):
    """The connection ended before the answer did."""


class Head(NamedTuple):
    """The beginning of an answer; names are in lower case."""

    status: int
    fields: Fields


class Http1:
    """One connection. Requests follow one another, each once the answer before it is `over`."""

    def __init__(self) -> None:
        self._events = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        self._start = b""
        self._hints = 0
        self._ended = False

    def request(self, method: str, target: bytes, fields: Fields, body: bytes) -> bytes:
        """Return the bytes of a request. Raises ValueError where one of its parts cannot be sent."""
        self._start, self._hints = b"", 0
        try:
            request = h11.Request(
                method=method, target=target, headers=[*fields, (b"content-length", b"%d" % len(body))]
            )
            said = [
                self._events.send(request),
                self._events.send(h11.Data(body)),
                self._events.send(h11.EndOfMessage()),
            ]
        except h11.LocalProtocolError as error:
            raise ValueError(f"the request cannot be sent: {error!s:.200}") from None
        return b"".join(piece for piece in said if piece)

    def take(self, data: bytes) -> None:
        """Take what came; nothing is the end of the connection. Raises `NotHttp` for what cannot be an answer."""
        if len(self._start) < len(_START):
            self._start += data[: len(_START) - len(self._start)]
            if not _START.startswith(self._start):
                raise NotHttp(f"a first line such as {data[:40]!r}")
        self._ended = self._ended or not data
        self._events.receive_data(data)

    @property
    def heard(self) -> bool:
        """Whether anything has come since the request."""
        return bool(self._start)

    def head(self) -> Head | None:
        """Return the head of the answer, None if more bytes are needed. Raises `NotHttp`."""
        while self._hints <= MOST_INTERIM:
            event = self._next()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                return _head(event)
            self._hints += 1
        raise NotHttp("hints without end")

    def piece(self) -> bytes | None:
        """Return the next bytes of the body, nothing at its end, None if more bytes are needed. Raises `NotHttp`."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        return None if event is h11.NEED_DATA else b""

    def over(self) -> bool:
        """Whether the answer was read to its end and another request may follow; what has come already is read."""
        try:
            for _ in range(_ENDING):
                if not self.piece():
                    break
        except NotHttp:
            return False
        if (self._events.our_state, self._events.their_state) != (h11.DONE, h11.DONE):
            return False
        if self._events.trailing_data != (b"", False):
            return False  # what stands behind an answer would be taken for the next one
        self._events.start_next_cycle()
        return True

    def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._events.next_event()
        except h11.RemoteProtocolError as error:
            if self._ended:
                raise CutOff from None
            raise NotHttp(f"{error!s:.120}") from None


def _head(response: h11.Response) -> Head:
    names = {name for name, _ in response.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise NotHttp("two ways to tell where the answer ends")
    return Head(response.status_code, list(response.headers))
