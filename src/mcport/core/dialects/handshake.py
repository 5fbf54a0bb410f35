"""The server's side of the handshake era: `initialize` opens the conversation, and everything after it follows.

(2025-11-25 basic/lifecycle; the older revisions differ by the abilities of their `Revision`.) Below: `contract`.
"""

from __future__ import annotations

from ...errors import InvalidParams, InvalidRequest
from ..jsonrpc import JsonObject
from .contract import Admitted, Conversation, Offer


def handshake_revisions(offer: Offer) -> list[str]:
    """The handshake revisions that are served, newest first."""
    return [name for name, revision in offer.revisions.items() if revision.era == "handshake"]


def admit(conversation: Conversation, method: str) -> Admitted:
    """Let a request into an opened conversation, or raise what it is answered with."""
    if conversation.opened is None:
        raise InvalidRequest(f"{method} came before initialize: open the conversation first")
    return conversation.opened


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
    version, capabilities, info = (_member(params, name) for name in ("protocolVersion", "capabilities", "clientInfo"))
    name = version if version in served else served[0]
    revision = offer.revisions[str(name)]
    conversation.opened = Admitted(revision, info, capabilities)  # type: ignore[arg-type]
    result: JsonObject = {
        "protocolVersion": revision.name,
        "capabilities": offer.capabilities(revision),
        "serverInfo": offer.info(revision),
    }
    if offer.instructions is not None:
        result["instructions"] = offer.instructions
    return result


def _member(params: JsonObject, name: str) -> object:
    value = params.get(name)
    wanted = str if name == "protocolVersion" else dict
    if type(value) is not wanted:
        kind = "a string" if wanted is str else "an object"
        raise InvalidParams(f"initialize: {name} must be {kind}" if name in params else f"initialize: {name} is missing")
    return value
