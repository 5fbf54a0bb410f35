"""What errors call a call of the blocking client: by the request that it makes, as the asynchronous client does.

Below: the words of `session.link`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mcport.record import Record
from mcport.session.link import subject_of

_METHODS: Final = {
    "call_tool": "tools/call",
    "complete": "completion/complete",
    "discover": "server/discover",
    "each_prompt": "prompts/list",
    "each_resource": "resources/list",
    "each_resource_template": "resources/templates/list",
    "each_tool": "tools/list",
    "get_prompt": "prompts/get",
    "listen": "listening",
    "list_prompts": "prompts/list",
    "list_resource_templates": "resources/templates/list",
    "list_resources": "resources/list",
    "list_tools": "tools/list",
    "read_resource": "resources/read",
    "set_log_level": "logging/setLevel",
    "set_logging_level": "logging/setLevel",
    "start_tool": "tools/call",
    "subscribe_resource": "resources/subscribe",
    "unsubscribe_resource": "resources/unsubscribe",
}
_NAMED: Final = {
    "call_tool": ("name",),
    "complete": ("prompt", "resource"),
    "get_prompt": ("name",),
    "read_resource": ("uri",),
    "start_tool": ("name",),
    "subscribe_resource": ("uri",),
    "unsubscribe_resource": ("uri",),
}
"""Which arguments say what a call is about; the first one is also the first that has no name."""


class Phase(Record):
    """A phase of the conversation, and what it is about."""

    name: str
    subject: str


def phase_of(verb: str, arguments: Sequence[Any] = (), named: Mapping[str, Any] | None = None) -> Phase:
    """Return the phase that a method of the client stands for, called with these arguments."""
    named = named or {}
    if verb in ("request", "start"):
        method = str(arguments[0] if arguments else named.get("method", verb))
        return Phase(method, method)
    method = _METHODS.get(verb, verb)
    names = _NAMED.get(verb, ())
    given = [
        *(arguments[:1] if names and verb != "complete" else ()),
        *(named[name] for name in names if name in named),
    ]
    return Phase(method, subject_of(method, {"name": given[0]} if given else None))
