"""What may be said of a tool, a resource or a prompt when it is registered, beside its function.

Each option stands here once, whether it is given to a decorator or to `add_tool` and its kind, and what cannot be shown
to a client is refused here, before it spoils a whole list. It refuses to know what is done with them. Below:
`asking.needing`, `visibility`, `limiting`, `metadata`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict

from mcport.core.jsonrpc import JsonObject
from mcport.core.meta_keys import check_meta
from mcport.spec.revisions import Revision

from .cache_hint import Scope
from .suggestions import did_you_mean
from .visibility import Visible, check_visible

if TYPE_CHECKING:
    from mcport.server.handling.calling import Call
    from mcport.spec.types import Annotations, Icon, ToolAnnotations


_LIMITS: Final = ("timeout", "max_concurrency", "needs")


class Options(TypedDict, total=False):
    """What may be said of every entry."""

    name: str | None
    """The name for programs; that of the function by default."""
    title: str | None
    """The name for people."""
    description: str | None
    """What it is for; the function's docstring by default."""
    icons: list[Icon] | None
    meta: JsonObject | None
    """Metadata of the application (basic/index "_meta")."""
    visible: Visible | None
    """A quick function of the `Context` that tells whether whoever asks may see and use this; everybody by default."""
    scopes: str | Sequence[str]
    """What has to be granted to whoever uses this over HTTP (`Server(auth=...)`); others are told what they lack."""
    timeout: float | None
    """Seconds that the handler of one call may take; it stands still while a question to the user is open."""
    max_concurrency: int | None
    """How many calls of it may run at a time, on all connections together; further ones wait their turn."""
    needs: str | Sequence[str]
    """Capabilities, such as "sampling" or "elicitation.url", without which a client is turned away before it runs."""


class ToolOptions(Options, total=False):
    """What may be said of a tool (server/tools "Tool")."""

    annotations: ToolAnnotations | None
    structured: bool | None
    """Whether results carry the returned value as JSON beside the text. By default the return annotation decides: text,
    content, nothing and anything do not. True demands it, False switches it off."""
    output_schema: JsonObject | None
    """A JSON Schema of the returned value, in place of the one that its annotation means; values are checked by it."""


class ResourceOptions(Options, total=False):
    """What may be said of a resource or a resource template (server/resources "Resource")."""

    mime_type: str | None
    size: int | None
    """In bytes."""
    annotations: Annotations | None
    ttl_ms: int | None
    """For how many milliseconds what was read may be kept; as the server says by default (server/utilities/caching)."""
    cache_scope: Scope | None
    """"public" if everybody may be shown it; as the server says by default, and "private" where not all may see it."""


class PromptOptions(Options, total=False):
    """What may be said of a prompt (server/prompts "Prompt")."""


Kind: TypeAlias = Literal["tool", "resource", "prompt"]

_KNOWN: Final[Mapping[Kind, Collection[str]]] = {
    "tool": ToolOptions.__annotations__,
    "resource": ResourceOptions.__annotations__,
    "prompt": PromptOptions.__annotations__,
}


def checked(
    kind: Kind,
    key: object,
    options: Mapping[str, object],
    revisions: Iterable[Revision],
    defined: Container[str] = frozenset(),
) -> dict[str, Any]:
    """Return the options that were given, without those that are None; limits become the `call` that keeps them.

    Raises TypeError or ValueError, in one line that names the entry: for an option that does not exist, for a value
    that it cannot have, and for metadata that one of the revisions does not let applications use, unless an extension
    has `defined` the key.
    """
    if not options:
        return {}
    what = f"{kind} {key!r}" if isinstance(key, str) else kind
    try:
        return _checked(kind, options, revisions, defined)
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _checked(
    kind: Kind, options: Mapping[str, object], revisions: Iterable[Revision], defined: Container[str]
) -> dict[str, Any]:
    known = _KNOWN[kind]
    for name in options:
        if name not in known:
            near = did_you_mean(name, known) or " What is the application's own goes into meta={...}."
            raise TypeError(f"there is no option {name!r}.{near}")
    given = {name: value for name, value in options.items() if value is not None and name not in _LIMITS}
    check_visible(given.get("visible"))
    if "scopes" in given:
        given["scopes"] = _scopes(given["scopes"])
    if given:
        from mcport.core.rules import check

        from .metadata import RULES

        check(given, RULES[kind])
    if "meta" in given:
        check_meta(given["meta"], revisions, defined)  # type: ignore[arg-type]
    return {**given, "call": _limited(options)} if any(options.get(name) is not None for name in _LIMITS) else given


def _scopes(scopes: object) -> tuple[str, ...]:
    """Return scopes as they are compared. Raises TypeError or ValueError for what is none."""
    from mcport.core.principal import check_scopes

    return check_scopes(scopes)


def _limited(options: Mapping[str, Any]) -> Call:
    """Return what calls a handler within its limits; the rooms that do are loaded with the first one that has some."""
    from mcport.server.asking.needing import needing
    from mcport.server.limiting.limiting import limited

    call = limited(options.get("timeout"), options.get("max_concurrency"))
    return needing(call, options["needs"]) if options.get("needs") else call
