"""What every request has to pass before anything of it is read, and the reading of its body within bounds.

Host and Origin against DNS rebinding, the content type against pages that post without asking, size and time against
those who send without end (basic/transports "Security Warning"). Below: `wire`, `core.http.hosts`, `session.loop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mcport.core.http.hosts import Gate
from mcport.session.loop import Loop

from .wire import Refused, Wire

BODY_SECONDS: Final = 30.0
"""How long a client may take to send a body."""


class Guard:
    """Lets requests in. Bodies have at most so many bytes."""

    def __init__(self, gate: Gate, most_bytes: int, seconds: float = BODY_SECONDS) -> None:
        self._gate = gate
        self._most = most_bytes
        self._seconds = seconds

    def check(self, wire: Wire) -> None:
        """Raise `Refused` for a request that may not come in, whatever it asks for."""
        barred = self._gate.judge(wire.all_of("host"), wire.all_of("origin"))
        if barred is not None:
            raise Refused(barred.status, barred.line)

    def check_body(self, headers: Mapping[str, str]) -> None:
        """Raise `Refused` for a body that is not announced as plain JSON of a bearable size."""
        kind = headers.get("content-type", "")
        if kind != "application/json" and kind.partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, f"content-type must be application/json, not {kind!r:.80}")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "content-encoding: compressed requests are not taken")
        length = headers.get("content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > self._most):
            raise self._too_large()

    async def body(self, wire: Wire, loop: Loop) -> bytes:
        """Read the body. Raises `Refused` for one that is too large or too slow, `Gone` when the client has left."""
        if wire.body is not None:
            return wire.body
        with loop.within(self._seconds):
            return await self._gather(wire)
        raise Refused(408, f"the body did not come within {self._seconds:g} s")

    async def _gather(self, wire: Wire) -> bytes:
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            chunk, more = await wire.piece()
            size += len(chunk)
            if size > self._most:
                raise self._too_large()
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _too_large(self) -> Refused:
        return Refused(413, f"a message has at most {self._most} bytes here (Limits.message_bytes)")
