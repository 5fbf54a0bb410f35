"""Which scopes a request needs, by what it names: looked up before anything of it is served.

It is decided from the message alone, so that whoever lacks some is told all of them at once, and before an answer has
begun (basic/authorization "Scope Challenge Handling"). It knows no tokens. Below: `tools`, `prompts`, `resources`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from mcport.core.jsonrpc import Batch, Decoded, JsonObject, Request

from .prompts import Prompts
from .resources import Resources
from .tools import Tools

Scopes: TypeAlias = tuple[str, ...]

_NONE: Final[Scopes] = ()


class Scoped:
    """What the tools, prompts and resources of one server need of those who ask."""

    def __init__(self, tools: Tools, prompts: Prompts, resources: Resources) -> None:
        self._tools = tools.listing
        self._prompts = prompts.listing
        self._resources = resources
        self._by_method: Mapping[str, Callable[[JsonObject], Iterable[str]]] = {
            "tools/call": lambda params: _of(self._tools.known(params.get("name"))),
            "prompts/get": lambda params: _of(self._prompts.known(params.get("name"))),
            "resources/read": self._of_uri,
            "resources/subscribe": self._of_uri,
            "completion/complete": self._of_reference,
            "subscriptions/listen": self._of_followed,
        }

    def needed(self, message: Decoded) -> Scopes:
        """Return the scopes that everything needs which a message names; none for what does not exist."""
        if type(message) is Batch:
            return tuple(dict.fromkeys(scope for each in message.members for scope in self._of_request(each)))
        return self._of_request(message)

    def _of_request(self, message: object) -> Scopes:
        if type(message) is not Request:
            return _NONE
        found = self._by_method.get(message.method)
        params = message.params
        return _NONE if found is None or type(params) is not dict else tuple(found(params))

    def _of_uri(self, params: JsonObject) -> Iterable[str]:
        return _of(self._resources.serving(params.get("uri")))

    def _of_reference(self, params: JsonObject) -> Iterable[str]:
        reference = params.get("ref")
        if type(reference) is not dict:
            return _NONE
        if reference.get("type") == "ref/prompt":
            return _of(self._prompts.known(reference.get("name")))
        return self._of_uri(reference)

    def _of_followed(self, params: JsonObject) -> Iterable[str]:
        wanted = params.get("notifications")
        uris = wanted.get("resourceSubscriptions") if type(wanted) is dict else None
        if type(uris) is not list:
            return _NONE
        return dict.fromkeys(scope for uri in uris for scope in _of(self._resources.serving(uri)))


def _of(entry: Any) -> Scopes:
    return _NONE if entry is None else entry.scopes
