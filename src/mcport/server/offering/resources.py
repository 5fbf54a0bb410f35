"""Resources: data that clients read by URI, fixed or made from a template.

From `resources/read` to the function and back. Below: `signature`, `calling`, `listing`, `core.uri_template`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from mcport.core.dialects.contract import Admitted
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InternalError, InvalidParams, ProtocolError, ResourceNotFound
from mcport.record import Record
from mcport.server.asking.outcomes import why_unanswered
from mcport.server.handling.calling import call
from mcport.server.results.content import as_contents, json_of
from mcport.server.results.dressing import Dresser
from mcport.server.results.faults import Faults, Overdue
from mcport.server.routes import Route
from mcport.server.signature import ArgumentsInvalid, Signature
from mcport.session.exchange import Exchange
from mcport.spec.revisions import Revision

from .cache_hint import NEVER, CacheHint, is_retry, uncached
from .choices import choices_of
from .listing import Listing
from .suggestions import did_you_mean
from .visibility import Sight, Visible

if TYPE_CHECKING:
    from mcport.core.uri_template import UriTemplate
    from mcport.server.handling.calling import Call
    from mcport.spec.model import Model
    from mcport.spec.types import Annotations, Icon

_IN_UTF8 = 4
"""Bytes that a character may have."""

JSON_TYPE = "application/json"


class ResourceEntry(Record, frozen=False, eq=False, kw_only=True):
    """One resource, or a family of them where `template` is set. `size` is in bytes; `hint` is for what is read."""

    function: Callable[..., Any]
    signature: Signature
    key: str
    template: UriTemplate | None = None
    name: str | None = None
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    annotations: Annotations | None = None
    icons: list[Icon] | None = None
    meta: JsonObject | None = None
    visible: Visible | None = None
    scopes: tuple[str, ...] = ()
    call: Call = call
    hint: CacheHint = NEVER
    completers: dict[str, Any] = field(default_factory=dict)
    """Who completes a variable of the template, by its name: the choices that its type leaves, or a `Completer`."""

    def __post_init__(self) -> None:
        if self.template is not None:
            found = choices_of(self.signature.input_schema)
            self.completers = {name: each for name, each in found.items() if name in self.template.variables}

    def members(self, revision: Revision) -> JsonObject:
        """Return the resource or template as clients of a revision see it."""
        from .page import in_words

        return {
            "name": self.name or self.signature.name,
            "uri" if self.template is None else "uriTemplate": self.key,
            "annotations": in_words("Annotations", self.annotations, revision),
            "description": self.description or self.signature.description or None,
            "icons": in_words("Icon", self.icons, revision) if revision.has_icons else None,
            "mimeType": self.mime_type,
            "size": self.size if self.template is None else None,
            "title": self.title if revision.has_titles else None,
            "_meta": self.meta if revision.has_titles else None,
        }


def resources_page() -> type[Model]:
    """Return the type of a page of resources."""
    from mcport.spec.types import ListResourcesResult

    return ListResourcesResult


def templates_page() -> type[Model]:
    """Return the type of a page of resource templates."""
    from mcport.spec.types import ListResourceTemplatesResult

    return ListResourceTemplatesResult


class Resources:
    """All resources and resource templates of a server."""

    def __init__(
        self,
        dresser: Dresser,
        faults: Faults,
        size: int | None,
        changed: Callable[[], None],
        longest: int,
        hints: Mapping[str, CacheHint],
    ) -> None:
        sight = Sight(faults)
        self.listing: Listing[ResourceEntry] = Listing(
            "resource", "resources", resources_page, size, changed, sight, hints["resources"]
        )
        self.templates: Listing[ResourceEntry] = Listing(
            "resource template", "resourceTemplates", templates_page, size, changed, sight, hints["templates"]
        )
        self._dresser = dresser
        self._longest = longest
        self._faults = faults

    def routes(self) -> dict[str, Route]:
        """Return the routes that are offered now: none as long as there were neither resources nor templates."""
        if not self.listing.served and not self.templates.served:
            return {}
        return {
            "resources/list": self.listing.answer,
            "resources/templates/list": self.templates.answer,
            "resources/read": self.read,
        }

    async def read(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve `resources/read`."""
        uri = exchange.asked.params.get("uri")
        if type(uri) is not str:
            raise InvalidParams(
                "resources/read: uri must be a string" if uri is not None else "resources/read: uri is missing"
            )
        if len(uri) > self._longest:
            raise InvalidParams(f"resources/read: uri is longer than {self._longest} characters (Limits.uri_bytes)")
        entry, variables = self._find(uri, exchange, admitted)
        try:
            arguments = entry.signature.bind_texts(variables)
        except ArgumentsInvalid as error:
            raise ResourceNotFound(f"Resource not found: {uri} ({error.line})", data={"uri": uri}) from None
        try:
            value = await entry.call(entry.function, entry.signature, arguments, exchange, admitted)
            if type(value) is InputRequired:
                return value
            if value is None and not exchange.cancelled:
                raise ResourceNotFound(f"Resource not found: {uri}", data={"uri": uri})
            result = contents_of(value, uri, entry.mime_type)
            result = uncached(result) if is_retry(exchange.asked.params) else entry.hint.put(result)
            return self._dresser.dress_returned(value, result, admitted.revision)
        except ProtocolError:
            raise
        except Overdue as error:
            raise InternalError(self._faults.overdue(f"Resource {uri!r}", error)) from None
        except Exception as error:
            raise InternalError(
                why_unanswered(exchange, error) or self._faults.text(f"Resource {uri!r}", error)
            ) from None

    def add(self, entry: ResourceEntry) -> None:
        """Add a resource or a template. Raises ValueError if its URI is taken."""
        (self.listing if entry.template is None else self.templates).add(entry)

    def remove(self, uri: str) -> None:
        """Take a resource or a template away. Raises KeyError if there is none."""
        (self.templates if uri in self.templates else self.listing).remove(uri)

    def knows(self, uri: str, exchange: Exchange, admitted: Admitted) -> bool:
        """Say whether there is a resource of this URI, of its own or by a template, that whoever asks may see."""
        if len(uri) > self._longest:
            return False
        try:
            self._find(uri, exchange, admitted)
        except (ResourceNotFound, InvalidParams):
            return False
        return True

    def serving(self, uri: object) -> ResourceEntry | None:
        """Return who serves a URI, or is the template that is written so, whoever asks; None if nobody is."""
        if not isinstance(uri, str) or len(uri) > self._longest:
            return None
        entry = self.listing.known(uri) or self.templates.known(uri)
        return entry or next((each for each in self.templates if self._variables(each, uri) is not None), None)

    def referred(self, uri: str, exchange: Exchange, admitted: Admitted) -> ResourceEntry:
        """Return the template that was written so, or else the resource or template that serves this URI.

        Raises `InvalidParams` where whoever asks sees none.
        """
        entry = self.templates.find(uri, exchange, admitted)
        if entry is not None:
            return entry
        try:
            if "{" in uri:  # a template that is none of ours, however well it fits as a URI
                raise ResourceNotFound(uri)
            return self._find(uri, exchange, admitted)[0]
        except (ResourceNotFound, InvalidParams):
            near = did_you_mean(uri, [each.key for each in self.templates.seen(exchange, admitted)])
            raise InvalidParams(f"Unknown resource template {uri!r:.200}.{near}") from None

    def _find(self, uri: str, exchange: Exchange, admitted: Admitted) -> tuple[ResourceEntry, dict[str, str]]:
        """Return who serves a URI, and the template's variables in it; what may not be seen serves nobody."""
        entry = self.listing.find(uri, exchange, admitted)
        if entry is not None:
            return entry, {}
        from mcport.core.uri import climbs, is_uri

        if not is_uri(uri) or climbs(uri):
            raise InvalidParams(f"{exchange.asked.method}: {uri!r} is no URI that can be read", data={"uri": uri})
        for entry in self.templates.seen(exchange, admitted):
            variables = self._variables(entry, uri)
            if variables is not None:
                return entry, variables
        raise ResourceNotFound(f"Resource not found: {uri}", data={"uri": uri})

    def _variables(self, entry: ResourceEntry, uri: str) -> dict[str, str] | None:
        assert entry.template is not None
        return entry.template.match(uri, limit=_IN_UTF8 * self._longest)


def contents_of(value: Any, uri: str, mime_type: str | None) -> Model:
    """Return the resources/read result for a returned value.

    A string is text, bytes are a blob, models of contents stay themselves, content becomes contents, a list of contents
    is several; any other value is its JSON.
    """
    from mcport.spec.types import BlobResourceContents, ReadResourceResult, TextResourceContents

    if isinstance(value, ReadResourceResult):
        return value
    value = as_contents(value, uri)
    known = TextResourceContents | BlobResourceContents
    if isinstance(value, known):
        return ReadResourceResult(contents=[value])
    if isinstance(value, list | tuple) and value and all(isinstance(member, known) for member in value):
        return ReadResourceResult(contents=list(value))
    if isinstance(value, bytes | bytearray | memoryview):
        blob = base64.b64encode(value).decode()
        return ReadResourceResult(contents=[BlobResourceContents(uri=uri, mime_type=mime_type, blob=blob)])
    if not isinstance(value, str):
        value, mime_type = json_of(value), mime_type or JSON_TYPE
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=value)])
