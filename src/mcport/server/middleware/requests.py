"""Requests as middleware sees them: typed views of what a client asks, which may be changed on the way.

A view holds a copy of the parameters; what a middleware changes in it is what the next one, and at last the handler,
is given. It does not know who looks. Below: `context`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject
from mcport.server.handling.context import Context


@dataclass(slots=True)
class Request:
    """A request of a client: its method, its parameters as on the wire, and the context that handlers get too."""

    method: str
    params: JsonObject
    context: Context[Any]

    def _text(self, name: str) -> str:
        """A member that is text; what is none is left for the handler's room to complain of."""
        value = self.params.get(name)
        return value if type(value) is str else ""


@dataclass(slots=True)
class NamedRequest(Request):
    """A request for something by its name, with arguments."""

    def __post_init__(self) -> None:
        given = self.params.get("arguments")
        if type(given) is dict:
            self.params["arguments"] = dict(given)

    @property
    def name(self) -> str:
        """The name of what is asked for."""
        return self._text("name")

    @name.setter
    def name(self, name: str) -> None:
        self.params["name"] = name

    @property
    def arguments(self) -> JsonObject:
        """The arguments, not checked yet; they may be changed in place, or be replaced."""
        given = self.params.get("arguments")
        if type(given) is not dict:
            if given is not None:
                return {}
            given = self.params["arguments"] = {}
        return given

    @arguments.setter
    def arguments(self, arguments: JsonObject) -> None:
        self.params["arguments"] = arguments


@dataclass(slots=True)
class ToolCall(NamedRequest):
    """`tools/call`."""


@dataclass(slots=True)
class PromptGet(NamedRequest):
    """`prompts/get`."""


@dataclass(slots=True)
class ResourceRead(Request):
    """`resources/read`."""

    @property
    def uri(self) -> str:
        """What is to be read."""
        return self._text("uri")

    @uri.setter
    def uri(self, uri: str) -> None:
        self.params["uri"] = uri


@dataclass(slots=True)
class ListRequest(Request):
    """A request for a page of a list."""

    @property
    def cursor(self) -> str | None:
        """Which page; None is the first one."""
        return self._text("cursor") or None


@dataclass(slots=True)
class Completing(Request):
    """`completion/complete`."""

    @property
    def ref(self) -> JsonObject:
        """The prompt or the resource template whose argument is being typed, as on the wire."""
        return _object(self.params.get("ref"))

    @property
    def argument(self) -> str:
        """The name of the argument that is being typed."""
        name = _object(self.params.get("argument")).get("name")
        return name if type(name) is str else ""

    @property
    def value(self) -> str:
        """What has been typed so far."""
        value = _object(self.params.get("argument")).get("value")
        return value if type(value) is str else ""


@dataclass(slots=True)
class ClientNotification:
    """A notification of a client: its method and its parameters as on the wire."""

    method: str
    params: JsonObject


VIEWS: Final[Mapping[str, type[Request]]] = {
    "tools/call": ToolCall,
    "prompts/get": PromptGet,
    "resources/read": ResourceRead,
    "tools/list": ListRequest,
    "prompts/list": ListRequest,
    "resources/list": ListRequest,
    "resources/templates/list": ListRequest,
    "completion/complete": Completing,
}
"""Methods whose requests have a view of their own."""


def _object(value: object) -> JsonObject:
    return value if type(value) is dict else {}
