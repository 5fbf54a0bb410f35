"""What a client must have declared before it may be asked something.

A need is a path such as "sampling.tools". Below: the abilities of revisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mcport.core.jsonrpc import JsonObject
from mcport.errors import MissingCapability
from mcport.spec.revisions import Revision

FORM: Final = "elicitation.form"
URL: Final = "elicitation.url"
SAMPLING: Final = "sampling"
SAMPLING_TOOLS: Final = "sampling.tools"
SAMPLING_CONTEXT: Final = "sampling.context"
ROOTS: Final = "roots"

KNOWN: Final = frozenset({"elicitation", FORM, URL, SAMPLING, SAMPLING_TOOLS, SAMPLING_CONTEXT, ROOTS})
_OPEN: Final = ("extensions.", "experimental.")


def check_need(need: str) -> None:
    """Raise ValueError for a path that no client can declare."""
    if need not in KNOWN and not str(need).startswith(_OPEN):
        raise ValueError(f"unknown client capability {need!r}; known: {', '.join(sorted(KNOWN))}")


def declares(capabilities: JsonObject, need: str, revision: Revision) -> bool:
    """Whether what a client declared covers a need, in a revision.

    An elicitation capability without modes means forms (2025-11-25 client/elicitation "Capabilities").
    """
    head = need.partition(".")[0]
    if head == "elicitation":
        declared = capabilities.get(head)
        return revision.elicits and type(declared) is dict and _elicits(declared, need, revision)
    value: object = capabilities
    for part in [head, need[len(head) + 1 :]] if "." in need else [head]:
        value = value.get(part) if type(value) is dict else None
        if value in (None, False):
            return False
    return True


def _elicits(declared: JsonObject, need: str, revision: Revision) -> bool:
    if need == FORM:
        return not revision.elicits_url or type(declared.get("form")) is dict or "url" not in declared
    if need == URL:
        return revision.elicits_url and type(declared.get("url")) is dict
    return True


def demand(capabilities: JsonObject, needs: Iterable[str], revision: Revision, what: str) -> None:
    """Raise `MissingCapability` unless everything that `what` needs is declared."""
    missing = [need for need in needs if not declares(capabilities, need, revision)]
    if missing:
        unknown = [need for need in missing if not _exists(need, revision)]
        names = ", ".join(repr(need) for need in unknown or missing)
        why = f"{what} needs a client with the capability {names}"
        if unknown:
            why += f", which protocol version {revision.name} does not have"
        raise MissingCapability(why, required=_nested(missing))


def _exists(need: str, revision: Revision) -> bool:
    """Whether any client of a revision can declare a need."""
    if need == URL:
        return revision.elicits_url
    if need == SAMPLING_TOOLS:
        return revision.samples_with_tools
    return revision.elicits or need.partition(".")[0] != "elicitation"


def _nested(needs: Iterable[str]) -> dict[str, object]:
    """The needs as a ClientCapabilities object."""
    found: dict[str, object] = {}
    for need in needs:
        head, _, rest = need.partition(".")
        inner = found.setdefault(head, {})
        if rest and isinstance(inner, dict):
            inner[rest] = {}
    return found
