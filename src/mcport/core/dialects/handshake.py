"""The server's side of the handshake era: `initialize` opens the conversation, and everything after it follows.

(2025-11-25 basic/lifecycle; the older revisions differ by the abilities of their `Revision`.) Below: `contract`.
"""

from __future__ import annotations

from typing import Any

from mcport.core.jsonrpc import Batch, JsonObject, Malformed, Message, Notification, Request
from mcport.errors import INVALID_REQUEST, InvalidParams, InvalidRequest

from .contract import Admitted, Conversation, Offer


def handshake_revisions(offer: Offer) -> list[str]:
    """The handshake revisions that are served, newest first."""
    return [name for name, revision in offer.revisions.items() if revision.era == "handshake"]


def take_apart(batch: Batch, allowed: bool) -> list[Message | Malformed]:
    """Return the messages of a batch, each to be handled as if it had come alone.

    Where batches are not `allowed` the whole of it is refused. `initialize` may not be part of one (2025-03-26
    basic/lifecycle): then each of its requests is refused, and its notifications are dropped; answers count.
    """
    if not allowed:
        return [Malformed(INVALID_REQUEST, "Invalid request: batches are not part of this protocol version")]
    if not any(getattr(member, "method", "") == "initialize" for member in batch.members):
        return batch.members
    reason = "Invalid request: initialize cannot be part of a batch"
    return [
        Malformed(INVALID_REQUEST, reason, member.id) if isinstance(member, Request) else member
        for member in batch.members
        if not isinstance(member, Notification)
    ]


def initialize(offer: Offer, conversation: Conversation, params: JsonObject) -> JsonObject:
    """Open the conversation and return the InitializeResult.

    A version that is served is answered with itself, any other with the newest handshake version served. Raises
    `InvalidRequest` for a second `initialize`, or where no handshake revision is served; `InvalidParams` for
    parameters that are not those of the method.
    """
    served = handshake_revisions(offer)
    if not served:
        names = ", ".join(offer.revisions)
        raise InvalidRequest(f"initialize is not part of the protocol versions served here: {names}")
    if conversation.opened is not None:
        raise InvalidRequest("initialize came twice on one connection")
    version: str = _member(params, "protocolVersion", str)
    capabilities: JsonObject = _member(params, "capabilities", dict)
    info: JsonObject = _member(params, "clientInfo", dict)
    revision = offer.revisions[version if version in served else served[0]]
    conversation.opened = Admitted(revision, info, capabilities, offer.log_level)
    conversation.declared = offer.capabilities(revision)
    result: JsonObject = {
        "protocolVersion": revision.name,
        "capabilities": conversation.declared,
        "serverInfo": offer.info(revision),
    }
    if offer.instructions is not None:
        result["instructions"] = offer.instructions
    return result


def _member(params: JsonObject, name: str, kind: type) -> Any:
    value = params.get(name)
    if type(value) is kind:
        return value
    if name not in params:
        raise InvalidParams(f"initialize: {name} is missing")
    raise InvalidParams(f"initialize: {name} must be {'a string' if kind is str else 'an object'}")
