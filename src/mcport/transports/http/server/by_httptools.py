"""uvicorn's protocol on httptools, within bounds: its parser takes a head of any size. Below: `direct`, `uvicorn`."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .direct import Direct
from .patience import HEAD_BYTES


class Bounded(HttpToolsProtocol):
    """Takes heads up to `HEAD_BYTES`, and what comes in one piece with their end."""

    stands_between = True
    _head = 0

    def data_received(self, data: bytes) -> None:
        if self._head > HEAD_BYTES:
            self.send_400_response("The head of the request is too large.")
            return
        self._head += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        self.stands_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head = 0

    def on_message_complete(self) -> None:
        self.stands_between = True
        super().on_message_complete()


class ByHttptools(Direct, Bounded):  # type: ignore[misc]
    """A connection whose requests are read by httptools, unless they are simple."""
