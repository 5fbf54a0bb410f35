"""What callbacks are given beside the question itself: who asks, and which call is proposed.

Values only. Below: the JSON types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcport.core.jsonrpc import JsonObject

if TYPE_CHECKING:
    from mcport.spec.types import Tool


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, for a callback that wants to show it.

    `server` is the name that the host's own target has, `server_info` what the server says of itself. `call` is the
    method of the request that the question belongs to, where that is known (stateless era). `warnings` are what a user
    should be told before opening a URL, in plain words.
    """

    server: str
    server_info: JsonObject = field(default_factory=dict)
    call: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A call of a tool that is about to go out.

    `tool` is its definition, if the client has listed it. What it says of itself is the server's word and no proof.
    """

    name: str
    arguments: JsonObject
    server: str
    tool: Tool | None = None
