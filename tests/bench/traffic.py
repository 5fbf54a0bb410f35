"""The bytes of one run: random names, ids and arguments from one seed, serialised beforehand, and what must come back.

It knows JSON-RPC and the two eras' envelopes; it refuses to know processes and clocks. Nobody below it but `json`.
"""

import base64
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

HANDSHAKE = "2025-11-25"
STATELESS = "2026-07-28"
ECHOED = 1 << 20
Id = int | str


class WrongAnswer(AssertionError):
    """A server answered something else than what was asked."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the tools that every server under measurement has to offer; handed over as one JSON argument."""

    add: str
    add_def: str
    echo: str
    extra: Sequence[str] = ()

    @classmethod
    def random(cls, seed: random.Random, tools: int) -> "Names":
        words = [f"{stem}_{seed.randrange(16**6):06x}" for stem in ("add", "sum", "echo", *(["more"] * (tools - 3)))]
        return cls(words[0], words[1], words[2], words[3:])

    def as_argument(self) -> str:
        return json.dumps(asdict(self))

    def __len__(self) -> int:
        return 3 + len(self.extra)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests ready to be written, and for each id what its answer has to hold."""

    requests: Sequence[bytes]
    expected: Mapping[Id, object]


class Traffic:
    """Makes the requests of one revision. Ids grow by random steps, and every fourth is a string."""

    def __init__(self, seed: random.Random, revision: str) -> None:
        self._random = seed
        self._revision = revision
        self._last_id = seed.randrange(1000)
        self._texts = [base64.encodebytes(seed.randbytes(ECHOED))[:ECHOED].decode() for _ in range(2)]

    @property
    def stateless(self) -> bool:
        return self._revision == STATELESS

    def opening(self) -> bytes:
        """The first request of a conversation."""
        if self.stateless:
            return self._request("server/discover", {})[1]
        info = {"name": "bench", "version": "1"}
        params = {"protocolVersion": self._revision, "capabilities": {}, "clientInfo": info}
        return self._request("initialize", params)[1]

    def opened(self) -> bytes:
        """What a client tells after the opening's answer; nothing in the stateless era."""
        return b"" if self.stateless else _line({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def calls(self, tool: str, count: int) -> Batch:
        """Calls of a tool that adds two random numbers."""
        below, requests, expected = self._random.randrange, [], {}
        for _ in range(count):
            a, b = below(-(10**6), 10**6), below(10**6)
            key, request = self._request("tools/call", {"name": tool, "arguments": {"a": a, "b": b}})
            requests.append(request)
            expected[key] = a + b
        return Batch(requests, expected)

    def call(self, tool: str) -> bytes:
        """One call of a tool that takes nothing."""
        return self._request("tools/call", {"name": tool, "arguments": {}})[1]

    def listen(self) -> bytes:
        """A request to be told of changes of the list of tools."""
        return self._request("subscriptions/listen", {"notifications": {"toolsListChanged": True}})[1]

    def lists(self, names: Names, count: int) -> Batch:
        """Requests for the whole list of tools."""
        made = [self._request("tools/list", {}) for _ in range(count)]
        return Batch([request for _, request in made], {key: len(names) for key, _ in made})

    def echoes(self, tool: str, count: int) -> Batch:
        """Calls that carry one of a few texts of 1 MiB."""
        requests, expected = [], {}
        for number in range(count):
            text = self._texts[number % len(self._texts)]
            key, request = self._request("tools/call", {"name": tool, "arguments": {"text": text}})
            requests.append(request)
            expected[key] = text
        return Batch(requests, expected)

    def _request(self, method: str, params: dict[str, Any]) -> tuple[Id, bytes]:
        if self.stateless:
            prefix = "io.modelcontextprotocol/"
            meta = {f"{prefix}protocolVersion": self._revision, f"{prefix}clientCapabilities": {}}
            params = {**params, "_meta": meta}
        self._last_id += self._random.randint(1, 9)
        key: Id = f"r-{self._last_id:x}" if self._last_id % 4 == 0 else self._last_id
        return key, _line({"jsonrpc": "2.0", "id": key, "method": method, "params": params})


def check(batch: Batch, answers: bytes) -> None:
    """Raise WrongAnswer unless each request was answered once, with what it asked for."""
    missing = dict(batch.expected)
    for line in answers.splitlines():
        answer = json.loads(line)
        if answer.get("id") not in missing:
            raise WrongAnswer(f"an answer to nothing: {line[:200]!r}")
        wanted = missing.pop(answer["id"])
        if _substance(answer.get("result", {})) != (str(wanted) if isinstance(wanted, int) else wanted):
            raise WrongAnswer(f"expected {str(wanted)[:40]}: {line[:300]!r}")
    if missing:
        raise WrongAnswer(f"{len(missing)} requests were never answered")


def _substance(result: dict[str, Any]) -> str | None:
    if "tools" in result:
        return str(len({tool["name"] for tool in result["tools"]}))
    content = result.get("content")
    return content[0].get("text") if content and not result.get("isError") else None


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
