"""How a result is dressed for its revision: the bytes of a JSON-RPC result member.

A result comes as a plain JSON object of the library's own making, as a model of the facade, or as bytes that are
dressed already. In the stateless era every result says its type and who serves it; these members are the same for
every answer of a server, so they are bytes from the start and are put in without a second dump. Below: `contract`.
"""

from __future__ import annotations

from typing import Final

from ...spec.model import Model
from ...spec.revisions import Revision
from ..jsonrpc import JsonObject, Raw, dump, finite
from .contract import META_SERVER

COMPLETE: Final = "complete"


class Fixed:
    """A result that is the same for everybody until it is replaced: dressed once a revision, not once a call."""

    __slots__ = ("dressed", "result")

    def __init__(self, result: JsonObject | Model) -> None:
        self.result = result
        self.dressed: dict[str, Raw] = {}


class Envelope:
    """Dresses the results that one server sends in one revision."""

    __slots__ = ("_info", "_name", "_plain", "_tail", "_tail_typed")

    def __init__(self, revision: Revision, info: JsonObject) -> None:
        self._name = revision.name
        self._plain = revision.era == "handshake"
        self._info = info
        meta = b'"_meta":{"%b":%b}}' % (META_SERVER.encode(), dump(info))
        self._tail_typed = meta
        self._tail = b'"resultType":"complete",' + meta

    def dress(self, result: object) -> Raw:
        """Return the bytes of a result.

        Raises ValueError for a value that cannot be JSON.
        """
        if type(result) is dict:
            return self._dress_object(result)
        if type(result) is Fixed:
            return self._dress_fixed(result)
        if type(result) is Raw:
            return result
        assert isinstance(result, Model), f"a result is an object, a model or bytes, not {type(result).__name__}"
        if self._plain:
            return Raw(finite(result.to_json(self._name)))
        if result.model_extra or getattr(result, "meta", None):
            result = result.model_copy(update={"meta": {META_SERVER: self._info, **(getattr(result, "meta", None) or {})}})
            return Raw(finite(result.to_json(self._name)))
        return _join(finite(result.to_json(self._name)), self._tail_typed)

    def _dress_fixed(self, fixed: Fixed) -> Raw:
        raw = fixed.dressed.get(self._name)
        if raw is None:
            raw = fixed.dressed[self._name] = self.dress(fixed.result)
        return raw

    def _dress_object(self, result: JsonObject) -> Raw:
        if self._plain:
            return Raw(dump(result))
        if "_meta" in result:
            meta = {META_SERVER: self._info, **result["_meta"]}
            return Raw(dump({"resultType": COMPLETE, **result, "_meta": meta}))
        return _join(dump(result), self._tail_typed if "resultType" in result else self._tail)


def _join(data: bytes, tail: bytes) -> Raw:
    """Put more members at the end of an object."""
    return Raw(data[:-1] + b"," + tail if len(data) > 2 else b"{" + tail)
