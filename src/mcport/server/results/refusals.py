"""The errors that leave a server: each with a code that its revision may use, and with data that can be sent.

Handlers may raise any `ProtocolError`; codes that the protocol keeps for itself pass only where the library's own
classes stand for them (2026-07-28 basic/index, "Error Codes"). Below: the error page.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.jsonrpc import dump
from mcport.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND,
    URL_ELICITATION_REQUIRED,
    HeaderMismatch,
    MissingCapability,
    ProtocolError,
    ResourceNotFound,
    UnsupportedRevision,
    UrlElicitationRequired,
)
from mcport.spec.revisions import Revision

from .content import sayable

log: Final = logging.getLogger("mcport.server")

_RETIRED: Final = (RESOURCE_NOT_FOUND, URL_ELICITATION_REQUIRED)
_RESERVED: Final = range(-32099, -32019)
_MEANINGS: Final = (HeaderMismatch, MissingCapability, UnsupportedRevision)
"""The classes that stand for the codes which the protocol defines in its reserved range."""


def fitted(error: ProtocolError, revision: Revision) -> ProtocolError:
    """Return the error as it may go out in a revision; what had to be changed is logged."""
    code = _code(error, revision)
    if type(code) is not int or not _is_allowed(error, code, revision):
        log.warning(
            "error code %r cannot be sent in protocol version %s: %s goes out", code, revision.name, INTERNAL_ERROR
        )
        code = INTERNAL_ERROR
    data = error.data if error.data is None or _can_be_json(error.data) else None
    return ProtocolError(sayable(str(error.message)), data=data, code=code)


def _code(error: ProtocolError, revision: Revision) -> object:
    """The code that an error has in a revision; the handshake era knows none for a capability that is missing."""
    if isinstance(error, ResourceNotFound):
        return revision.resource_not_found_code
    if isinstance(error, MissingCapability) and revision.era == "handshake":
        return INVALID_REQUEST
    return error.code


def _is_allowed(error: ProtocolError, code: int, revision: Revision) -> bool:
    """Whether a revision may use a code. Those of the handshake era leave the ranges of servers to the servers."""
    if revision.era == "handshake":
        # 2025-11-25 client/elicitation: this code is for nothing but a URL that has to be visited first.
        asks = code == URL_ELICITATION_REQUIRED and revision.identifies_url_elicitations
        return isinstance(error, UrlElicitationRequired) or not asks
    if code in _RESERVED:
        return isinstance(error, _MEANINGS) and code == type(error).code
    return code not in _RETIRED


def _can_be_json(data: object) -> bool:
    try:
        dump(data)
    except (ValueError, RecursionError) as error:
        log.warning("the data of an error cannot be JSON and is left out: %s", error)
        return False
    return True
