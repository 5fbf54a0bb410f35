"""The server's side of the stateless era: every request says for itself who asks and in which revision.

(2026-07-28 basic/index "_meta", basic/versioning.) No answer depends on an earlier request. Below: `contract`.
"""

from __future__ import annotations

from typing import Final

from mcport.core.jsonrpc import JsonObject
from mcport.errors import InvalidParams, UnsupportedRevision

from .contract import (
    LOG_LEVELS,
    META_CAPABILITIES,
    META_CLIENT,
    META_LOG_LEVEL,
    META_VERSION,
    Admitted,
    Conversation,
    Offer,
)

_JUDGED: Final = frozenset({META_VERSION, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL})


def is_stateless(meta: JsonObject) -> bool:
    """Whether the `_meta` of a request marks it as one of the stateless era."""
    return META_VERSION in meta


def admit(offer: Offer, params: JsonObject) -> Admitted:
    """Let a request of the stateless era in, or raise the `ProtocolError` that it is answered with.

    The version is judged first: what else a request must say is up to the revision that it names.
    """
    meta = params["_meta"]
    version = meta[META_VERSION]
    if type(version) is not str:
        raise InvalidParams(f"_meta {META_VERSION} must be a string")
    revision = offer.revisions.get(version)
    if revision is None or revision.era != "stateless":
        raise UnsupportedRevision(version, tuple(offer.revisions))
    capabilities = meta.get(META_CAPABILITIES)
    if type(capabilities) is not dict:
        missing = "must be an object" if META_CAPABILITIES in meta else "is missing"
        raise InvalidParams(f"_meta {META_CAPABILITIES} {missing}")
    client = meta.get(META_CLIENT)
    level = _level(meta[META_LOG_LEVEL], offer) if META_LOG_LEVEL in meta else None
    # Reserved keys are checked before use: one of the wrong shape counts as absent (basic/index "_meta").
    return Admitted(revision, client if type(client) is dict else {}, capabilities, level)


def admit_next(offer: Offer, params: JsonObject, conversation: Conversation) -> Admitted:
    """Let a request in as `admit` does; one that says of itself what the latest one said is not judged anew.

    Most clients say the same in every request. Comparing is quicker than judging, and cannot be told from it.
    """
    meta, latest = params["_meta"], conversation.latest
    if latest is not None and latest[0] == meta:
        return latest[1]
    admitted = admit(offer, params)
    if meta.keys() <= _JUDGED and _is_exact(meta):
        conversation.latest = (meta, admitted)
    return admitted


def _is_exact(value: object) -> bool:
    """Whether only the same JSON is equal to a value: 1, 1.0 and true are equal to each other."""
    if type(value) is dict:
        return all(map(_is_exact, value.values()))
    return all(map(_is_exact, value)) if type(value) is list else type(value) is str


def _level(level: object, offer: Offer) -> str | None:
    """Return from which level on a request wants log messages; raises `InvalidParams` (server/utilities/logging)."""
    if type(level) is not str or level not in LOG_LEVELS:
        raise InvalidParams(f"_meta {META_LOG_LEVEL} must be one of {', '.join(LOG_LEVELS)}, got {level!r:.60}")
    return level if offer.log_level is not None else None
