"""What can change at a server while somebody listens, and what of it somebody wants to hear.

Values only, read from notifications and written as the filter of a listening. Below: the JSON types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mcport.core.dialects.contract import PROMPTS_CHANGED, RESOURCE_UPDATED, RESOURCES_CHANGED, TOOLS_CHANGED
from mcport.core.events import Told
from mcport.core.jsonrpc import JsonObject


@dataclass(frozen=True, slots=True)
class ToolsChanged:
    """The server has other tools now: `list_tools` tells which. `meta` is the notification's own."""

    meta: JsonObject = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """The server has other prompts now: `list_prompts` tells which. `meta` is the notification's own."""

    meta: JsonObject = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourcesChanged:
    """The server has other resources now: `list_resources` tells which. `meta` is the notification's own."""

    meta: JsonObject = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceUpdated:
    """What can be read at `uri` is not what it was; it may lie below the URI that was asked for.

    `meta` is the notification's own.
    """

    uri: str
    meta: JsonObject = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification of an extension, which came because `filters` asked for it."""

    method: str
    params: JsonObject


Change: TypeAlias = ToolsChanged | PromptsChanged | ResourcesChanged | ResourceUpdated | Notified
"""One thing that changed."""

_LISTS: Final[Mapping[str, type[ToolsChanged | PromptsChanged | ResourcesChanged]]] = {
    TOOLS_CHANGED: ToolsChanged,
    PROMPTS_CHANGED: PromptsChanged,
    RESOURCES_CHANGED: ResourcesChanged,
}


def read_change(method: str, params: JsonObject) -> Change:
    """Return the change that a notification tells of; one that is not the protocol's own is handed on as it is."""
    meta = params.get("_meta")
    meta = meta if type(meta) is dict else {}
    if method in _LISTS:
        return _LISTS[method](meta)
    uri = params.get("uri")
    if method == RESOURCE_UPDATED and type(uri) is str:
        return ResourceUpdated(uri, meta)
    return Notified(method, params)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The kinds of changes that somebody wants to hear of, or that a server will tell.

    `filters` are members of extensions, as they stand in the filter of `subscriptions/listen`.
    """

    tools: bool = False
    prompts: bool = False
    resources: bool = False
    uris: tuple[str, ...] = ()
    filters: JsonObject = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tools or self.prompts or self.resources or self.uris or self.filters)

    def to_wire(self) -> JsonObject:
        """Return the filter as it is said (2026-07-28 basic/patterns/subscriptions)."""
        said: JsonObject = {name: True for name, _, wanted in self._lists() if wanted}
        if self.uris:
            said["resourceSubscriptions"] = list(self.uris)
        return {**said, **self.filters}

    def capabilities(self) -> Iterator[str]:
        """Yield the capabilities that a server must have declared to tell all this."""
        for _, capability, wanted in self._lists():
            if wanted:
                yield capability
        if self.uris:
            yield "resources.subscribe"

    def honoured_by(self, said: JsonObject) -> Wanted:
        """Return the part of this that a server's answer to the filter contains."""
        uris = said.get("resourceSubscriptions")
        told = frozenset(each for each in uris if type(each) is str) if type(uris) is list else frozenset()
        return Wanted(
            tools=self.tools and said.get("toolsListChanged") is True,
            prompts=self.prompts and said.get("promptsListChanged") is True,
            resources=self.resources and said.get("resourcesListChanged") is True,
            uris=tuple(uri for uri in self.uris if uri in told),
            filters={name: said[name] for name in self.filters if name in said},
        )

    def without(self, other: Wanted) -> Wanted:
        """Return the part of this that is not in the other."""
        return Wanted(
            tools=self.tools and not other.tools,
            prompts=self.prompts and not other.prompts,
            resources=self.resources and not other.resources,
            uris=tuple(uri for uri in self.uris if uri not in other.uris),
            filters={name: value for name, value in self.filters.items() if name not in other.filters},
        )

    def covers(self, change: Change) -> bool:
        """Whether somebody who wants this wants to hear of a change."""
        match change:
            case ToolsChanged():
                return self.tools
            case PromptsChanged():
                return self.prompts
            case ResourcesChanged():
                return self.resources
            case ResourceUpdated(uri=uri):
                return any(lies_at(uri, each) for each in self.uris)
            case Notified():
                return bool(self.filters)

    def news(self) -> Iterator[Told]:
        """Yield a notification of each kind: what to tell somebody who may have missed any of them."""
        if self.tools:
            yield Told(TOOLS_CHANGED, {})
        if self.prompts:
            yield Told(PROMPTS_CHANGED, {})
        if self.resources:
            yield Told(RESOURCES_CHANGED, {})
        for uri in self.uris:
            yield Told(RESOURCE_UPDATED, {"uri": uri})

    def _lists(self) -> tuple[tuple[str, str, bool], ...]:
        return (
            ("toolsListChanged", "tools.listChanged", self.tools),
            ("promptsListChanged", "prompts.listChanged", self.prompts),
            ("resourcesListChanged", "resources.listChanged", self.resources),
        )


def lies_at(uri: str, above: str) -> bool:
    """Whether a URI is another one, or lies below it: an update may name a part of what was subscribed to."""
    return uri == above or uri.startswith((above.rstrip("/") + "/", above + "#", above + "?"))
