"""What the dialects agree on: the reserved names of `_meta`, and the values that pass between a dialect and its user.

Below: nothing but the revisions and the JSON types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record
from mcport.spec.revisions import Revision

META_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT: Final = "io.modelcontextprotocol/clientInfo"
META_SERVER: Final = "io.modelcontextprotocol/serverInfo"
META_LOG_LEVEL: Final = "io.modelcontextprotocol/logLevel"
META_SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"
PROGRESS_TOKEN: Final = "progressToken"

COMPLETE: Final = "complete"
INPUT_REQUIRED: Final = "input_required"
"""The core values of resultType; extensions may add others (2026-07-28 basic/index "ResultType")."""

TOOLS_CHANGED: Final = "notifications/tools/list_changed"
PROMPTS_CHANGED: Final = "notifications/prompts/list_changed"
RESOURCES_CHANGED: Final = "notifications/resources/list_changed"
RESOURCE_UPDATED: Final = "notifications/resources/updated"
"""What a server tells of changes, in every revision."""

LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""The levels of log messages, the least severe first (server/utilities/logging)."""


class Admitted(Record, frozen=False):
    """A request that may be served, and for whom. Client identity is for logs: it never steers behaviour.

    `log_level` is the least severe level of the log messages that the client is sent, None for silence.
    """

    revision: Revision
    client_info: JsonObject
    client_capabilities: JsonObject
    log_level: str | None = None


class Offer(Record, frozen=False):
    """What a server says of itself, whoever asks.

    `info` has the members of an Implementation; `capabilities` are those of one revision; `revisions` are served,
    newest first. `log_level` is the one that a session begins with; None: there are no log messages in any era.
    """

    revisions: Mapping[str, Revision]
    info: Callable[[Revision], JsonObject]
    capabilities: Callable[[Revision], JsonObject]
    instructions: str | None = None
    log_level: str | None = "info"


class Conversation(Record, frozen=False):
    """What a server keeps for one connection of the handshake era.

    `declared` are the capabilities that `initialize` promised; `subscribed` the URIs of resources that are followed. Of
    the stateless era there is only `latest`: what a request said of itself, and what came of it. It saves judging the
    same words again, and changes no answer.
    """

    opened: Admitted | None = None
    initialized: bool = False
    declared: JsonObject = field(default_factory=dict)
    subscribed: set[str] = field(default_factory=set)
    latest: tuple[JsonObject, Admitted] | None = None
