"""What is kept of a session between its requests, as bytes, so that any worker can go on with it.

Several workers may change a record at once: each change is numbered, and what two did at the same time is put together
(`merged`). Below: the dialects' contract, `core.jsonrpc`.
"""

from __future__ import annotations

from mcport.core.dialects.contract import Admitted, Conversation
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.record import Record
from mcport.spec.revisions import REVISIONS


class Changing(Record):
    """What may change in a session. `stands` names the latest GET that hears what belongs to no request."""

    log_level: str | None = None
    initialized: bool = False
    subscribed: frozenset[str] = frozenset()
    stands: str = ""


class Known(Record):
    """What a record says: whose session it is, how often it was changed, and what may change again."""

    opening: JsonObject
    principal: str | None
    number: int
    changing: Changing


def opening_of(conversation: Conversation) -> JsonObject:
    """Return what never changes in a session that was opened."""
    opened = conversation.opened
    assert opened is not None, "a session begins with initialize"
    return {
        "revision": opened.revision.name,
        "clientInfo": opened.client_info,
        "clientCapabilities": opened.client_capabilities,
        "declared": conversation.declared,
    }


def reopen(conversation: Conversation, opening: JsonObject) -> None:
    """Open a conversation as it was opened in another worker, or at another time."""
    revision = REVISIONS[opening["revision"]]
    conversation.opened = Admitted(revision, opening["clientInfo"], opening["clientCapabilities"])
    conversation.declared = opening["declared"]


def merged(base: Changing, mine: Changing, theirs: Changing) -> Changing:
    """Return what becomes of two changes of the same base: what only one of them changed is as that one has it."""
    return Changing(
        theirs.log_level if mine.log_level == base.log_level else mine.log_level,
        mine.initialized or theirs.initialized,
        (theirs.subscribed | (mine.subscribed - base.subscribed)) - (base.subscribed - mine.subscribed),
        theirs.stands if mine.stands == base.stands else mine.stands,
    )


def write_record(known: Known) -> bytes:
    """Return the bytes of a record."""
    changing = known.changing
    return dump(
        {
            **known.opening,
            "principal": known.principal,
            "number": known.number,
            "logLevel": changing.log_level,
            "initialized": changing.initialized,
            "subscribed": sorted(changing.subscribed),
            "stands": changing.stands,
        }
    )


def read_record(record: bytes) -> Known:
    """Return what a record says. Raises ValueError for one that another version of mcport wrote."""
    try:
        value: JsonObject = parse_json(record)
        changing = Changing(
            value.pop("logLevel"), value.pop("initialized"), frozenset(value.pop("subscribed")), value.pop("stands")
        )
        return Known(value, value.pop("principal"), value.pop("number"), changing)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"the record of a session cannot be read: {error!r}") from None
