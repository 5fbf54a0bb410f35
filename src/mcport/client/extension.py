"""An extension of the protocol on a client: what it declares, and which results it can read because of that.

Below: `core.extensions`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from mcport.core.dialects.opening import Approach
from mcport.core.extensions import check_identifier, check_result_type, check_settings, declaration
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import Revision


@dataclass(frozen=True, slots=True)
class ClientExtension:
    """An extension that a client declares in each request.

    `settings` are declared with the identifier. `result_types` are values of `resultType` that it adds, each with the
    methods that may be answered so: `client.request` returns such results, and without them they are invalid answers.
    In the handshake era an extension is declared only with `handshake`. Raises ValueError for what cannot be an
    identifier or settings. See basic/versioning of the specification, "Extension Negotiation".
    """

    identifier: str
    settings: JsonObject | None = None
    result_types: Mapping[str, Collection[str]] = field(default_factory=dict)
    handshake: bool = False

    def __post_init__(self) -> None:
        check_identifier(self.identifier)
        check_settings(self.identifier, self.settings)
        for kind in self.result_types:
            check_result_type(self.identifier, kind)

    def is_in(self, revision: Revision) -> bool:
        """Whether it is declared in a revision."""
        return revision.has_extensions or (self.handshake and revision.era == "handshake")


Extensions: TypeAlias = Mapping[str, JsonObject] | Iterable[ClientExtension]
"""Extensions by identifier with their settings, or with all that is to be said of them."""


class Declared:
    """The extensions that one client declares. Raises ValueError for what cannot be declared, or comes twice."""

    def __init__(self, extensions: Extensions) -> None:
        given = (
            [ClientExtension(identifier, settings) for identifier, settings in extensions.items()]
            if isinstance(extensions, Mapping)
            else list(extensions)
        )
        self._all = {each.identifier: each for each in given}
        if len(self._all) < len(given):
            raise ValueError("an extension is declared twice")

    def capabilities(self, revision: Revision) -> JsonObject:
        """Return the member of capabilities that declares them in a revision, or nothing."""
        here = [each for each in self._all.values() if each.is_in(revision)]
        return declaration((each.identifier, each.settings or {}) for each in here)

    @property
    def result_types(self) -> dict[str, frozenset[str]]:
        """The values of `resultType` that may come, with the methods that may be answered so."""
        found: dict[str, frozenset[str]] = {}
        for each in self._all.values():
            for kind, methods in each.result_types.items():
                found[kind] = found.get(kind, frozenset()) | frozenset(methods)
        return found


def with_extensions(approach: Approach, extensions: Extensions) -> Approach:
    """Return how a client opens conversations that declares these extensions too."""
    if not extensions:
        return approach
    declared, others = Declared(extensions), approach.capabilities
    return replace(
        approach,
        capabilities=lambda revision: {**others(revision), **declared.capabilities(revision)},
        result_types=declared.result_types,
    )
