"""A server made by hand that tells of changes, in the way of each revision."""

from typing import Any

from mcport import Change, Changes
from tests.client.counterpart import STATELESS, notification, result, usual
from tests.client.playing import Wire, of

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
DECLARED = {
    "tools": {"listChanged": True},
    "prompts": {"listChanged": True},
    "resources": {"listChanged": True, "subscribe": True},
}
NEW = STATELESS[0]

TOOLS = "notifications/tools/list_changed"
PROMPTS = "notifications/prompts/list_changed"
RESOURCES = "notifications/resources/list_changed"
UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
CANCELLED = "notifications/cancelled"
LISTEN = "subscriptions/listen"

EVERYTHING = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}


def stamped(method: str, id: Any, **params: Any) -> dict[str, Any]:
    """A notification that belongs to a subscription."""
    return notification(method, {**params, "_meta": {SUBSCRIPTION: id}})


def acknowledging(uris: list[str] | None = None, **filter: Any) -> dict[str, Any]:
    """What a server says first on a subscription."""
    said = {**(filter or EVERYTHING), **({} if uris is None else {"resourceSubscriptions": uris})}
    return stamped(ACKNOWLEDGED, "$id", notifications=said)


def ending(id: Any) -> dict[str, Any]:
    """The answer that ends a subscription."""
    return result({"resultType": "complete", "_meta": {SUBSCRIPTION: id}}, id)


def table(
    revision: str, *uris: str, declared: dict[str, Any] = DECLARED, listen: list[Any] | None = None
) -> dict[str, list[Any]]:
    plain: list[Any] = [result({})]
    table = {**usual(revision, declared), "resources/subscribe": plain, "resources/unsubscribe": plain}
    if revision in STATELESS:
        table[LISTEN] = [acknowledging(list(uris))] if listen is None else listen
    return table


def tell(wire: Wire, revision: str, method: str, listener: int = -1, **params: Any) -> None:
    """Send a notification the way a server of that revision sends it to one of its listeners."""
    if revision in STATELESS:
        wire.push(stamped(method, of(wire.messages, LISTEN)[listener]["id"], **params))
    else:
        wire.push(notification(method, params or None))


async def take(changes: Changes, count: int) -> list[Change]:
    return [await anext(changes) for _ in range(count)]
