"""Envelopes of all revisions that a server speaks, each made when it is first needed.

The kernel dresses answers here; what was made from a handler's value is dressed early, in the room that called it, so
that a value which cannot be sent is still that handler's failure. Below: `core.dialects.envelope`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import chain

from mcport.core.dialects.contract import Offer
from mcport.core.dialects.envelope import Envelope
from mcport.core.jsonrpc import JsonObject, Raw
from mcport.core.meta_keys import PROTOCOL_PREFIX, check_meta
from mcport.core.soundness import check_content
from mcport.server.extensions.extension_result import ExtensionResult
from mcport.spec.revisions import Revision

from .unsendable import unsendable


class Dresser:
    """Dresses results for the revision of their request."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.envelopes: dict[str, Envelope] = {}
        self.meta_keys: set[str] = set()
        """Keys of `_meta` that extensions have defined."""

    def envelope(self, revision: Revision) -> Envelope:
        """Return what dresses results of a revision."""
        envelope = self.envelopes.get(revision.name)
        if envelope is None:
            envelope = self.envelopes[revision.name] = Envelope(revision, self._offer.info(revision))
        return envelope

    def declares(self, capability: str, revision: Revision) -> bool:
        """Tell whether the server declares a capability in a revision, as things are now."""
        return capability in self._offer.capabilities(revision)

    def dress_returned(self, value: object, result: object, revision: Revision) -> Raw | ExtensionResult:
        """Return the bytes of a result that was made from what a handler returned, `value`.

        A result may come from another server: what the protocol itself put into its metadata there is left out.
        Raises `ResultUnsendable`, which says what of the value cannot be sent.
        """
        if type(result) is ExtensionResult:
            return result  # where it goes out it is known whether it may
        try:
            result = _without_protocol_keys(result, self.meta_keys)
            for each in _with_meta(result):
                check_meta(each, [revision], self.meta_keys)
            check_content(result)
            return self.envelope(revision).dress(result)
        except (ValueError, RecursionError) as error:
            raise unsendable(value, error) from None


def _without_protocol_keys(result: object, defined: Container[str]) -> object:
    """Return a result without the protocol's own keys in its metadata: those tell of another conversation.

    Those that an extension has `defined` are the handler's.
    """
    meta = getattr(result, "meta", None)
    if not isinstance(meta, dict) or not any(map(_is_protocols, meta)):
        return result
    kept = {key: value for key, value in meta.items() if key in defined or not _is_protocols(key)}
    return result.model_copy(update={"meta": kept or None})  # type: ignore[attr-defined]


def _is_protocols(key: object) -> bool:
    return isinstance(key, str) and key.startswith(PROTOCOL_PREFIX)


def _with_meta(result: object) -> Iterator[JsonObject]:
    """The metadata that a handler gave: of the result, and of its blocks, contents or messages."""
    members = (getattr(result, name, None) or () for name in ("content", "contents", "messages"))
    for each in chain([result], *members):
        meta = getattr(each, "meta", None)
        if meta:
            yield meta
