"""A client that speaks HTTP in bytes, so that it can do everything wrong.

It knows how answers are framed, and what requests of both eras look like; nothing else.
"""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic_core import to_json

from mcport.core.jsonrpc import parse_json
from tests.http.bridge import stateless

USUAL = {
    "Host": "localhost",
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}


class Answer(NamedTuple):
    """One answer; of a stream only the head."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return parse_json(self.body)


class Connection:
    """One connection to a server; a reading that lasts over five seconds is a failure."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.port = port
        self.socket = socket.socket()
        self.socket.settimeout(5)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.session: dict[str, str] = {}
        self._buffer = b""
        self._events = b""
        self.id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Cut the connection off, as a process does that is killed while something is on its way to it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # ---- what is sent

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def call(self, tool: str, id: int | None = None, meta: dict[str, Any] | None = None, **arguments: Any) -> bytes:
        """Return a call of a tool: one of the session, if there is one, else a stateless one."""
        return self.request("tools/call", id, meta, name=tool, arguments=arguments)

    def request(self, method: str, id: int | None = None, meta: dict[str, Any] | None = None, **params: Any) -> bytes:
        """Return a request of the session, if there is one, else a stateless one."""
        self.id += 1
        number = self.id if id is None else id
        if not self.session:
            made = stateless(method, number, meta, **params)
            return post(made["body"], made["headers"])
        if meta is not None:
            params["_meta"] = meta
        return self.message({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def message(self, message: Any) -> bytes:
        """Return the POST of a message of the session."""
        return post(to_json(message), self.session)

    def get(self, last_event: str | None = None) -> bytes:
        """Return the GET of the session's own stream, or of the rest of another."""
        more = {} if last_event is None else {"Last-Event-ID": last_event}
        return head("GET", {"Host": "localhost", "Accept": "text/event-stream", **self.session, **more})

    def post(self, data: bytes) -> Answer:
        """Send a request and return its answer."""
        self.send(data)
        return self.answer()

    def open(self, revision: str = "2025-11-25", **capabilities: Any) -> Self:
        """Open a session, which this connection goes on with."""
        params = {
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": {"name": "raw", "version": "1"},
        }
        answer = self.post(post(to_json({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})))
        assert answer.status == 200, answer
        self.session = {"Mcp-Session-Id": answer.headers["mcp-session-id"], "MCP-Protocol-Version": revision}
        assert self.post(self.message({"jsonrpc": "2.0", "method": "notifications/initialized"})).status == 202
        return self

    # ---- what is answered

    def answer(self) -> Answer:
        """Read an answer; of a stream only its head."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        status = int(lines[0].split()[1])
        streams = headers.get("content-type") == "text/event-stream"
        body = b"" if streams or status == 100 else self._exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def event(self) -> dict[str, str]:
        """Read the next event of a stream, without comments; an empty one at the end of the stream."""
        while b"\n\n" not in self._events.replace(b"\r\n", b"\n"):
            chunk = self.chunk()
            if not chunk:
                return {}
            self._events += chunk
        raw, _, self._events = self._events.replace(b"\r\n", b"\n").partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in raw.decode().split("\n") if line[:1] not in ("", ":"))
        return fields or self.event()

    def told(self) -> Any:
        """Read the next message of a stream; None at its end."""
        while event := self.event():
            if event.get("data"):
                return parse_json(event["data"].encode())
        return None

    def chunk(self) -> bytes:
        """Read one chunk of a stream; nothing at its end, in good order or not."""
        try:
            size = int(self._until(b"\r\n"), 16)
        except EOFError:
            return b""
        return self._exactly(size + 2)[:-2]

    def line(self) -> str:
        """Read the first line of an answer."""
        return self._until(b"\r\n").decode("latin-1")

    def rest(self) -> bytes:
        """Read until the server has closed the connection."""
        while not self.is_closed():
            pass
        return self._buffer

    def is_closed(self) -> bool:
        """Wait until the server says something or closes the connection, and return whether it closed it."""
        try:
            self._buffer += (said := self.socket.recv(65536))
        except ConnectionError:
            return True
        return not said

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _fill(self) -> None:
        said = self.socket.recv(65536)
        if not said:
            raise EOFError
        self._buffer += said


def head(method: str, headers: dict[str, str], target: str = "/mcp", version: str = "1.1") -> bytes:
    """Return the head of a request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/{version}\r\n{lines}\r\n".encode("latin-1")


def post(body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Return a POST of a body in one piece."""
    return head("POST", {**USUAL, **(headers or {}), "Content-Length": str(len(body))}) + body
