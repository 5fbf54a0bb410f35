"""How a result is dressed for its revision: the bytes of a JSON-RPC result member.

A result comes as a plain JSON object of the library's own making, as a model of the facade, or as bytes that are
dressed already. In the stateless era every result says its type and who serves it; these members are the same for
every answer of a server, so they are bytes from the start and are put in without a second dump. Below: `contract`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from mcport.core.jsonrpc import JsonObject, Raw, dump, finite
from mcport.spec.instances import is_model
from mcport.spec.revisions import Revision

from .contract import COMPLETE, META_SERVER

if TYPE_CHECKING:
    from mcport.spec.model import Model

LONG: Final = 8 * 1024
"""From about here on copying bytes once less is worth more than the call that saves it."""


class Body:
    """A JSON object that is bytes already, not dressed yet; whoever made it vouches that it is strict JSON."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Written(ABC):
    """A result that writes itself for each revision, and is made a model only for whoever looks at it."""

    @property
    @abstractmethod
    def kind(self) -> type[Model]:
        """Which type the model has."""

    @abstractmethod
    def model(self) -> Model:
        """Return a new model of it."""

    @abstractmethod
    def to_json(self, revision: str) -> bytes:
        """Return it as a JSON object, its type of result included where the revision has one."""


class Fixed:
    """A result that is the same for everybody until it is replaced: dressed once a revision, not once a call."""

    __slots__ = ("dressed", "result")

    def __init__(self, result: JsonObject | Model | Written) -> None:
        self.result = result
        self.dressed: dict[str, Raw] = {}


class Envelope:
    """Dresses the results that one server sends in one revision."""

    __slots__ = ("_info", "_name", "_plain", "_tail", "_tail_typed")

    def __init__(self, revision: Revision, info: JsonObject) -> None:
        self._name = revision.name
        self._plain = revision.era == "handshake"
        self._info = info
        self._tail_typed = b',"_meta":{"%b":%b}}' % (META_SERVER.encode(), dump(info))
        self._tail = b',"resultType":"complete"' + self._tail_typed

    def dress(self, result: object) -> Raw:
        """Return the bytes of a result.

        Raises ValueError for a value that cannot be JSON, or that cannot be a result.
        """
        if type(result) is Body:
            return Raw(result.data) if self._plain else _join(result.data, self._tail)
        if type(result) is dict:
            return self._dress_object(result)
        if type(result) is Fixed:
            return self._dress_fixed(result)
        if type(result) is Raw:
            return result
        if is_model(result):
            return self._dress_model(result)
        if isinstance(result, Written):
            data = result.to_json(self._name)
            return Raw(data) if self._plain else _join(data, self._tail_typed)
        if isinstance(result, dict):
            return self._dress_object(result)
        raise ValueError(f"a result is an object, a model or bytes, not {type(result).__name__}")

    def _dress_fixed(self, fixed: Fixed) -> Raw:
        raw = fixed.dressed.get(self._name)
        if raw is None:
            raw = fixed.dressed[self._name] = self.dress(fixed.result)
        return raw

    def _dress_model(self, result: Model) -> Raw:
        meta = getattr(result, "meta", None)
        if self._plain:
            return Raw(finite(result.to_json(self._name)))
        if meta:
            result = result.model_copy(update={"meta": self._signed(meta)})
            return Raw(finite(result.to_json(self._name)))
        return _join(finite(result.to_json(self._name)), self._tail_typed)

    def _dress_object(self, result: JsonObject) -> Raw:
        if self._plain:
            return Raw(dump(result))
        if "_meta" in result:
            return Raw(dump({"resultType": COMPLETE, **result, "_meta": self._signed(result["_meta"])}))
        return _join(dump(result), self._tail_typed if "resultType" in result else self._tail)

    def _signed(self, meta: object) -> JsonObject:
        """Return metadata of a result with who serves it; what was passed on from another server may name that one."""
        if meta is not None and not isinstance(meta, dict):
            raise ValueError(f"the _meta of a result is an object, not {type(meta).__name__}")
        return {**(meta or {}), META_SERVER: self._info}


def _join(data: bytes, tail: bytes) -> Raw:
    """Put more members at the end of an object; `tail` begins with the comma that an empty one must not have."""
    size = len(data)
    if size > LONG:
        return Raw(b"".join((memoryview(data)[:-1], tail)))
    return Raw(data[:-1] + tail if size > 2 else b"{" + tail[1:])
