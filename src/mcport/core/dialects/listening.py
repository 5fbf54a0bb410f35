"""Which changes a client can hear of, and how it says so: the filter of `subscriptions/listen`, and what bears its id.

(2026-07-28 basic/patterns/subscriptions.) A topic is a notification's method, with the name of what changed where the
client chooses by names. Below: `contract`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from mcport.core.jsonrpc import Id, JsonObject
from mcport.errors import InvalidParams
from mcport.record import Record

from .contract import META_SUBSCRIPTION
from .contract import PROMPTS_CHANGED as PROMPTS_CHANGED
from .contract import RESOURCE_UPDATED as RESOURCE_UPDATED
from .contract import RESOURCES_CHANGED as RESOURCES_CHANGED
from .contract import TOOLS_CHANGED as TOOLS_CHANGED

LISTEN: Final = "subscriptions/listen"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"

Topic: TypeAlias = tuple[str, str | None]


class Kind(Record):
    """One member of the filter, and the notification that it asks for.

    `capability` is the path to what the server must have declared. `names` is the parameter of the notification that
    says what changed, where the member is a list of such names; None where it is a flag.
    """

    member: str
    method: str
    capability: tuple[str, ...]
    names: str | None = None

    def topic(self, params: JsonObject | None) -> Topic:
        """Return the topic of a notification of this kind."""
        return (self.method, None if self.names is None else (params or {}).get(self.names))


KINDS: Final = (
    Kind("toolsListChanged", TOOLS_CHANGED, ("tools", "listChanged")),
    Kind("promptsListChanged", PROMPTS_CHANGED, ("prompts", "listChanged")),
    Kind("resourcesListChanged", RESOURCES_CHANGED, ("resources", "listChanged")),
    Kind("resourceSubscriptions", RESOURCE_UPDATED, ("resources", "subscribe"), "uri"),
)
"""What the protocol itself has; extensions may have more."""


def is_declared(capabilities: JsonObject, path: Iterable[str]) -> bool:
    """Whether capabilities have something at a path: true, or an object."""
    found: object = capabilities
    for step in path:
        found = found.get(step) if type(found) is dict else None
    return found is not None and found is not False


def read_filter(params: JsonObject, kinds: Iterable[Kind], most: int) -> dict[Kind, list[str]]:
    """Return what a client wants to hear of: the names it listed, none of them for a flag that is set.

    `most` bounds the names. Raises `InvalidParams`. Members that are unknown here count for nothing.
    """
    wanted = params.get("notifications")
    if type(wanted) is not dict:
        fault = "must be an object" if "notifications" in params else "is missing"
        raise InvalidParams(f"{LISTEN}: notifications {fault}")
    found: dict[Kind, list[str]] = {}
    for kind in kinds:
        value = wanted.get(kind.member, False)
        if kind.names is not None and value is not False:
            found[kind] = _names(kind, value, most)
        elif type(value) is not bool:
            raise InvalidParams(f"{LISTEN}: {kind.member} must be true or false")
        elif value:
            found[kind] = []
    return found


def _names(kind: Kind, value: object, most: int) -> list[str]:
    if type(value) is not list or not all(type(name) is str for name in value):
        raise InvalidParams(f"{LISTEN}: {kind.member} must be a list of strings")
    names = list(dict.fromkeys(value))
    if len(names) > most:
        raise InvalidParams(f"{LISTEN}: {kind.member} has more than {most} members (Limits.subscriptions)")
    return names


def write_filter(honoured: dict[Kind, list[str]]) -> JsonObject:
    """Return the filter as the acknowledgment has it."""
    return {kind.member: True if kind.names is None else names for kind, names in honoured.items()}


def topics_of(honoured: dict[Kind, list[str]]) -> list[Topic]:
    """Return the topics that a filter asks for."""
    flags: list[Topic] = [(kind.method, None) for kind in honoured if kind.names is None]
    return flags + [(kind.method, name) for kind, names in honoured.items() for name in names]


def stamped(params: JsonObject | None, id: Id) -> JsonObject:
    """Return what belongs to a listening client's request: the id of the request is in `_meta`, its JSON type kept."""
    params = params or {}
    return {**params, "_meta": {**(params.get("_meta") or {}), META_SUBSCRIPTION: id}}
