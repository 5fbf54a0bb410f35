"""What is kept of a session between its requests, as bytes, so that any worker can go on with it.

Below: the dialects' contract, `core.jsonrpc`.
"""

from __future__ import annotations

from mcport.core.dialects.contract import Admitted, Conversation
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.spec.revisions import REVISIONS


def write_record(conversation: Conversation, principal: str | None) -> bytes:
    """Return the record of a session that was opened."""
    opened = conversation.opened
    assert opened is not None, "a session begins with initialize"
    return dump(
        {
            "revision": opened.revision.name,
            "clientInfo": opened.client_info,
            "clientCapabilities": opened.client_capabilities,
            "logLevel": opened.log_level,
            "declared": conversation.declared,
            "initialized": conversation.initialized,
            "subscribed": sorted(conversation.subscribed),
            "principal": principal,
        }
    )


def read_record(record: bytes, conversation: Conversation) -> str | None:
    """Fill a conversation in from its record; return on whose behalf the session was opened, None for anybody's.

    Raises ValueError for a record of another version of mcport.
    """
    try:
        value: JsonObject = parse_json(record)
        conversation.opened = Admitted(
            REVISIONS[value["revision"]], value["clientInfo"], value["clientCapabilities"], value["logLevel"]
        )
        conversation.declared = value["declared"]
        conversation.initialized = value["initialized"]
        conversation.subscribed = set(value["subscribed"])
        principal: str | None = value["principal"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the record of a session cannot be read: {error!r}") from None
    return principal
