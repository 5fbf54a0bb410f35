"""An extension of the protocol on a client: what it declares, and which results it can read because of that.

Below: `core.extensions`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mcport.core.dialects.opening import Approach
from mcport.core.extensions import (
    check_identifier,
    check_methods,
    check_own_key,
    check_result_type,
    check_settings,
    declaration,
    doubt_of,
)
from mcport.core.jsonrpc import JsonObject
from mcport.record import changed
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

log: Final = logging.getLogger("mcport.client")


@dataclass(frozen=True, slots=True)
class ClientExtension:
    """An extension that a client declares in each request.

    `settings` are declared with the identifier. `result_types` are values of `resultType` that it adds, each with the
    methods that may be answered so: `client.request` returns such results, typed calls raise `ExtensionAnswered` with
    them, and without being declared here they are invalid answers. `meta_keys` are keys that may be given in `meta=`,
    also under a prefix that is reserved for official extensions; the identifier itself is always one of them. `named`
    is, for each of its methods that has one, the parameter that HTTP requests repeat in `Mcp-Name`, such as
    `{"com.example/jobs.get": "jobId"}`. In the handshake era an extension is declared only with `handshake`. Raises
    ValueError for what cannot be an identifier, a key, settings or methods; warns of a prefix that is no reversed
    domain name. See basic/versioning of the specification, "Extension Negotiation".
    """

    identifier: str
    settings: JsonObject | None = None
    result_types: Mapping[str, Collection[str]] = field(default_factory=dict)
    handshake: bool = False
    meta_keys: Collection[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_identifier(self.identifier)
        check_settings(self.identifier, self.settings)
        for key in self.meta_keys:
            check_own_key(self.identifier, key)
        if (doubt := doubt_of(self.identifier)) is not None:
            log.warning("%s", doubt)
        _check_named(self.identifier, self.named)
        for kind, methods in self.result_types.items():
            check_result_type(self.identifier, kind)
            check_methods(self.identifier, kind, methods)

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
        for each in given:
            _check_extension(each)
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

    @property
    def named(self) -> dict[str, str]:
        """The parameter that HTTP requests repeat in `Mcp-Name`, by method."""
        return {method: name for each in self._all.values() for method, name in each.named.items()}

    @property
    def meta_keys(self) -> frozenset[str]:
        """The keys that may be given in metadata."""
        return frozenset(key for each in self._all.values() for key in (each.identifier, *each.meta_keys))


def _check_named(identifier: str, named: object) -> None:
    if not isinstance(named, Mapping) or not all(isinstance(word, str) for item in named.items() for word in item):
        raise ValueError(f"extension {identifier!r}: named maps methods to names of parameters")
    for method in named:
        if method in METHODS:
            raise ValueError(f"extension {identifier!r}: named: {method} is a method of the protocol")


def _check_extension(extension: object) -> None:
    if not isinstance(extension, ClientExtension):
        made = "ClientExtension('com.example/name')"
        raise TypeError(f"extensions are objects such as {made}, not {type(extension).__name__}")


def with_extensions(approach: Approach, declared: Declared) -> Approach:
    """Return how a client opens conversations that declares these extensions too."""
    others = approach.capabilities
    return changed(
        approach,
        capabilities=lambda revision: {**others(revision), **declared.capabilities(revision)},
        result_types=declared.result_types,
        named=declared.named,
    )
