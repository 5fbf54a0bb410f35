"""Requests as the bytes of HTTP, and the messages in the bytes of its answers.

It knows headers, lengths and events; it refuses to know sockets and what is asked. Below: nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tests.bench.traffic import STATELESS, WrongAnswer

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_SESSION = re.compile(rb"mcp-session-id: (\S+)", re.IGNORECASE)
_CHUNKED_END = b"0\r\n\r\n"


def post(line: bytes, revision: str, session: str | None = None) -> bytes:
    """Return a message as a POST of its own, with the headers that its revision demands."""
    body = line.rstrip(b"\n")
    fields = [
        "POST /mcp HTTP/1.1",
        "Host: localhost:8000",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
    ]
    if revision == STATELESS:
        message = json.loads(body)
        fields += [f"MCP-Protocol-Version: {revision}", f"Mcp-Method: {message['method']}"]
        if "name" in message["params"]:
            fields.append(f"Mcp-Name: {message['params']['name']}")
    elif session is not None:
        fields += [f"MCP-Protocol-Version: {revision}", f"Mcp-Session-Id: {session}"]
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + body


def whole(data: bytes) -> bool:
    """Whether these bytes are one answer, to the end."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(data, 0, head)
    return data.endswith(_CHUNKED_END) if length is None else len(data) >= head + 4 + int(length[1])


def session_of(answer: bytes) -> str:
    """Return the id of the session that an answer opens."""
    found = _SESSION.search(answer)
    if found is None:
        raise WrongAnswer(f"no session: {answer[:300]!r}")
    return found[1].decode()


def lines_of(answers: Iterable[bytes]) -> bytes:
    """Return the messages of answers, one a line, whether they came as JSON or as an event."""
    lines = []
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise WrongAnswer(f"not answered: {answer[:300]!r}")
        if b"text/event-stream" in head:
            data = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
            body = next(line for line in reversed(data) if line)
        lines.append(body)
    return b"\n".join(lines)
