"""The client's side of both eras: how requests are stamped, how results are read, and what may be asked at all.

Below: `contract`, the generated method table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from mcport.core.jsonrpc import JsonObject
from mcport.errors import NotDeclared
from mcport.record import Record
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

from .contract import COMPLETE, INPUT_REQUIRED, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_VERSION


class Complete(Record, frozen=False):
    """A result that is the answer."""

    result: JsonObject


class InputRequired(Record, frozen=False):
    """A result that asks back; the call is to be repeated with the answers."""

    result: JsonObject


class Invalid(Record, frozen=False):
    """A result that is none."""

    reason: str


Reading: TypeAlias = Complete | InputRequired | Invalid


class Speaker:
    """Speaks one revision to one server, for a client with this identity and these capabilities.

    `result_types` are those of the extensions that the client declares, each with the methods that may answer with it.
    """

    def __init__(
        self,
        revision: Revision,
        client_info: JsonObject,
        capabilities: JsonObject,
        result_types: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self.revision = revision
        self._result_types = result_types
        self._stamp: JsonObject | None = None
        if revision.era == "stateless":
            self._stamp = {
                META_VERSION: revision.name,
                META_CAPABILITIES: capabilities,
                META_CLIENT: client_info,
            }

    def stamp(self, params: JsonObject | None) -> JsonObject | None:
        """Return the parameters as they go out: in the stateless era they say who asks, and in which revision."""
        if self._stamp is None:
            return params
        if params is None:
            return {"_meta": self._stamp}
        meta = params.get("_meta")
        return {**params, "_meta": {**meta, **self._stamp} if meta else self._stamp}

    def log_from(self, level: str | None) -> None:
        """From now on ask with each request for log messages of this level and above, or for none (stateless era)."""
        if self._stamp is not None:
            stamp = {key: value for key, value in self._stamp.items() if key != META_LOG_LEVEL}
            self._stamp = stamp if level is None else {**stamp, META_LOG_LEVEL: level}

    def check(self, method: str, declared: JsonObject) -> None:
        """Raise `NotDeclared` for a method that this revision lacks or whose capability the server did not declare."""
        known = METHODS.get(method)
        if known is None:
            return
        name = self.revision.name
        if name not in known.from_client:
            raise NotDeclared(f"{method} is not part of protocol version {name}, which this server speaks")
        needed = known.needs(name)
        if needed is not None:
            self.demand(method, needed, declared)

    def demand(self, what: str, needed: str, declared: JsonObject) -> None:
        """Raise `NotDeclared`, saying what for, unless a capability is among the declared ones."""
        if not _has(declared, needed):
            raise NotDeclared(f"{what} needs the capability {needed!r}, which the server did not declare")

    def read(self, method: str, result: Any) -> Reading:
        """Judge a result as it came. One without resultType is complete, as older servers send it."""
        if type(result) is not dict:
            return Invalid(f"the result of {method} is not an object")
        if self._stamp is None:
            return Complete(result)
        kind = result.get("resultType", COMPLETE)
        if kind == COMPLETE:
            return Complete(result)
        if kind == INPUT_REQUIRED and self._may_ask(method):
            return InputRequired(result)
        if type(kind) is str and method in self._result_types.get(kind, ()):
            return Complete(result)
        return Invalid(f"the result of {method} has an unknown resultType {kind!r:.60}")

    def _may_ask(self, method: str) -> bool:
        """Whether the answer to a method may be a question; of one that we do not know anything may be."""
        known = METHODS.get(method)
        return known is None or self.revision.name in known.may_ask


def _has(declared: JsonObject, needed: str) -> bool:
    """Whether a capability, such as "tools" or "resources.subscribe", is among the declared ones."""
    value: object = declared
    for part in needed.split("."):
        if type(value) is not dict or value.get(part) in (None, False):
            return False
        value = value[part]
    return True
