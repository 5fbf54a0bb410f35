"""Which era a POST belongs to, and whether its headers let it in.

The order of the checks is that of the two eras' pages taken together (2026-07-28 basic/transports/streamable-http
"Server Validation", "Backward Compatibility"; 2025-11-25 basic/transports "Protocol Version Header"): first what tells
the era, then the version, then the other headers; methods and arguments are the kernel's. Below: `headers`, the
dialects' contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from mcport.core.dialects.contract import META_CAPABILITIES, META_VERSION, Offer
from mcport.core.dialects.handshake import handshake_revisions
from mcport.core.dialects.stateless import admit
from mcport.core.jsonrpc import Batch, Decoded, Id, JsonObject, Malformed, Notification, Request
from mcport.errors import (
    HEADER_MISMATCH,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_REVISION,
    HeaderMismatch,
    InvalidParams,
    InvalidRequest,
    ParseError,
    ProtocolError,
    UnsupportedRevision,
)

from .headers import NAMED, VERSION, check_mirrored

_WITH_STATUS: Final = frozenset({METHOD_NOT_FOUND, HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_REVISION})


class Lane(Enum):
    """Where a POST goes on."""

    STATELESS = "a request that says everything itself"
    HANDSHAKE = "a message of a session, or the `initialize` that begins one"
    HEARD = "a notification of the stateless era: taken, and that is all"


def lane_of(headers: Mapping[str, str], message: Decoded, offer: Offer, named: Mapping[str, str] = NAMED) -> Lane:
    """Return where a message goes on; raises the `ProtocolError` that refuses it, whose `http_status` is the status."""
    if type(message) is Request:
        params = message.params
        meta = params.get("_meta") if type(params) is dict else None
        if type(meta) is dict and META_VERSION in meta:
            _check_stateless(headers, message.method, params, meta, offer, named)  # type: ignore[arg-type]
            return Lane.STATELESS
        if message.method != "initialize" or not handshake_revisions(offer):
            check_version(headers, offer, message.method)
        return Lane.HANDSHAKE
    if type(message) is Malformed:
        raise (ParseError if message.code == PARSE_ERROR else InvalidRequest)(message.reason)
    if type(message) is Notification and _is_stateless(message.params):
        return Lane.HEARD
    check_version(headers, offer, "a batch" if type(message) is Batch else "a message")
    return Lane.HANDSHAKE


def id_of(message: Decoded) -> Id | None:
    """Return the id that a refusal of a message repeats: that of a request, so far as it can be read."""
    return message.id if type(message) is Request or type(message) is Malformed else None


def _is_stateless(params: object) -> bool:
    meta = params.get("_meta") if type(params) is dict else None
    return type(meta) is dict and META_VERSION in meta


def _check_stateless(
    headers: Mapping[str, str],
    method: str,
    params: JsonObject,
    meta: JsonObject,
    offer: Offer,
    named: Mapping[str, str],
) -> None:
    version = meta[META_VERSION]
    said = headers.get(VERSION)
    if said != version:
        raise _wrong_version(said, version)
    revision = offer.revisions.get(version)
    if revision is None or revision.era != "stateless" or META_CAPABILITIES not in meta:
        admit(offer, params)  # says what is wrong: what an unknown revision wants of its headers nobody knows
    check_mirrored(headers, method, params, named)


def _wrong_version(said: str | None, version: object) -> ProtocolError:
    if said is None:
        return HeaderMismatch("Header mismatch: MCP-Protocol-Version is missing")
    return HeaderMismatch(f"Header mismatch: MCP-Protocol-Version is {said!r:.80}, and the body says {version!r:.80}")


def check_version(headers: Mapping[str, str], offer: Offer, what: str) -> None:
    """Raise a `ProtocolError` for a version in the headers of the handshake era that cannot be meant.

    It may be left out, but not be one of the other era, or an unknown one. A session that was opened keeps its version,
    whatever the header says of those that are served.
    """
    said = headers.get(VERSION)
    if said is None:
        if not handshake_revisions(offer):
            raise HeaderMismatch(
                f"Header mismatch: MCP-Protocol-Version is missing; served: {', '.join(offer.revisions)}"
            )
        return
    revision = offer.revisions.get(said)
    if revision is None:
        raise UnsupportedRevision(said, tuple(offer.revisions))
    if revision.era == "stateless":
        raise InvalidParams(f"{what}: _meta {META_VERSION} is missing")


def status_of(error: ProtocolError) -> int:
    """Return the HTTP status of an error that is the answer to a request which was let in.

    Those that the protocol defines for this transport have theirs; any other is an answer like all answers.
    """
    return error.http_status if error.code in _WITH_STATUS else 200
