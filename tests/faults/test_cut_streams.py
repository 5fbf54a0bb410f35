"""A stream of a session that is cut at any byte is gone on with: nothing on it is lost, and nothing is told twice."""

from __future__ import annotations

import httpx
import pytest
from pydantic_core import to_json

from mcport.core.sse import encode_event
from tests.http.scripted import Message, OldServer, Stream, text, waits

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("waits")]
__all__ = ["waits"]


def said_for(call: Message) -> list[bytes]:
    """The events of the answer to a call: how far it is, in words of several bytes a character, and its result."""
    token = call["params"]["_meta"]["progressToken"]
    steps: list[Message] = [
        {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": token, "progress": number, "message": f"é€😀 {number}"},
        }
        for number in (1, 2)
    ]
    return [encode_event(to_json(each), id=f"e{at}") for at, each in enumerate([*steps, text(call, "fertig é")], 1)]


class Cutting(OldServer):
    """A server whose stream is cut after so many bytes, and then gone on with behind the event that came last."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after
        self.events: list[bytes] = []
        self.on["tools/call"] = self._call

    async def _call(self, message: Message) -> httpx.Response:
        self.events = [encode_event(b"", id="e0"), *said_for(message)]
        return Stream().put(b"".join(self.events)[: self.after]).cut()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        last = request.headers.get("last-event-id")
        if last is None:
            return await super().handle_async_request(request)
        return Stream().put(b"".join(self.events[int(last[1:]) + 1 :])).end()


Heard = list[str | None]

FIRST = len(encode_event(b"", id="e0"))
"""Where the first event ends: before it there is no place to go on from."""

WHOLE = FIRST + sum(map(len, said_for({"id": 1, "params": {"_meta": {"progressToken": 1}}})))


@pytest.mark.parametrize("start", range(3))
async def test_an_answer_is_whole_wherever_its_stream_is_cut(start: int) -> None:
    for after in range(FIRST + start, WHOLE + 1, 3):
        heard: Heard = []

        async def report(value: float, total: float | None, said: str | None, heard: Heard = heard) -> None:
            heard.append(said)

        server = Cutting(after)
        async with server.connect() as client:
            called = await client.call_tool("a", timeout=5, progress=report)
        assert (called.text(), heard) == ("fertig é", ["é€😀 1", "é€😀 2"]), f"cut after {after} bytes"
        assert len(server.sent("tools/call")) == 1
