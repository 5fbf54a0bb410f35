"""Prompts: messages made from a few strings.

From `prompts/get` to the function and back. Below: `signature`, `calling`, `listing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any

from mcport.core.dialects.contract import Admitted
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InternalError, InvalidParams, ProtocolError
from mcport.record import Record
from mcport.server.asking.outcomes import why_unanswered
from mcport.server.handling.calling import call
from mcport.server.results.content import block_of
from mcport.server.results.dressing import Dresser
from mcport.server.results.faults import Faults, Overdue
from mcport.server.routes import Route
from mcport.server.signature import ArgumentsInvalid, Signature
from mcport.session.exchange import Exchange
from mcport.spec.revisions import Revision

from .cache_hint import NEVER, CacheHint
from .choices import choices_of
from .listing import Listing
from .suggestions import did_you_mean
from .visibility import Sight, Visible

if TYPE_CHECKING:
    from mcport.server.handling.calling import Call
    from mcport.spec.model import Model
    from mcport.spec.types import Icon


class PromptEntry(Record, frozen=False, eq=False, kw_only=True):
    """One prompt: the function, and how it is shown."""

    function: Callable[..., Any]
    signature: Signature
    name: str
    title: str | None = None
    description: str | None = None
    icons: list[Icon] | None = None
    meta: JsonObject | None = None
    visible: Visible | None = None
    scopes: tuple[str, ...] = ()
    call: Call = call
    completers: dict[str, Any] = field(default_factory=dict)
    """Who completes an argument, by its name: the choices that its type leaves, or a `Completer`."""

    def __post_init__(self) -> None:
        self.completers = choices_of(self.signature.input_schema)

    @property
    def key(self) -> str:
        return self.name

    @property
    def text(self) -> str | None:
        """What the prompt is for: as given, or from the docstring."""
        return self.description or self.signature.description or None

    def members(self, revision: Revision) -> JsonObject:
        """Return the prompt as clients of a revision see it."""
        from .page import in_words

        return {
            "name": self.name,
            "arguments": self._arguments(revision) or None,
            "description": self.text,
            "icons": in_words("Icon", self.icons, revision) if revision.has_icons else None,
            "title": self.title if revision.has_titles else None,
            "_meta": self.meta if revision.has_titles else None,
        }

    def _arguments(self, revision: Revision) -> list[JsonObject]:
        from .page import given

        schema = self.signature.input_schema
        required = schema.get("required", [])
        return [
            given(
                name=name,
                description=about.get("description"),
                required=name in required,
                title=about.get("title") if revision.has_titles else None,
            )
            for name, about in schema.get("properties", {}).items()
        ]


def prompts_page() -> type[Model]:
    """Return the type of a page of prompts."""
    from mcport.spec.types import ListPromptsResult

    return ListPromptsResult


class Prompts:
    """All prompts of a server."""

    def __init__(
        self,
        server: str,
        dresser: Dresser,
        faults: Faults,
        size: int | None,
        changed: Callable[[], None],
        hint: CacheHint = NEVER,
    ) -> None:
        self.listing: Listing[PromptEntry] = Listing(
            "prompt", "prompts", prompts_page, size, changed, Sight(faults), hint
        )
        self._server = server
        self._dresser = dresser
        self._faults = faults

    def routes(self) -> dict[str, Route]:
        """Return the routes that are offered now: none as long as there were no prompts."""
        return {"prompts/list": self.listing.answer, "prompts/get": self.get} if self.listing.served else {}

    async def get(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve `prompts/get`."""
        params = exchange.asked.params
        entry = self.find(params.get("name"), exchange, admitted)
        try:
            arguments = entry.signature.bind_texts(_texts(entry.name, params.get("arguments")))
        except ArgumentsInvalid as error:
            raise InvalidParams(f"{entry.name}: {error.line}") from None
        try:
            value = await entry.call(entry.function, entry.signature, arguments, exchange, admitted)
            if type(value) is InputRequired:
                return value
            result = messages_of(value, entry.text, admitted.revision)
            return self._dresser.dress_returned(value, result, admitted.revision)
        except ProtocolError:
            raise
        except Overdue as error:
            raise InternalError(self._faults.overdue(f"Prompt {entry.name!r}", error)) from None
        except Exception as error:
            raise InternalError(
                why_unanswered(exchange, error) or self._faults.text(f"Prompt {entry.name!r}", error)
            ) from None

    def find(self, name: object, exchange: Exchange, admitted: Admitted) -> PromptEntry:
        """Return the prompt of this name. Raises `InvalidParams` where whoever asks sees none."""
        if type(name) is not str:
            method = exchange.asked.method
            raise InvalidParams(
                f"{method}: name must be a string" if name is not None else f"{method}: name is missing"
            )
        entry = self.listing.find(name, exchange, admitted)
        if entry is None:
            near = did_you_mean(name, [each.name for each in self.listing.seen(exchange, admitted)])
            raise InvalidParams(f"Unknown prompt {name!r} on server {self._server!r}.{near}")
        return entry


def _texts(prompt: str, arguments: object) -> dict[str, str]:
    """Return the arguments of a prompt, which are strings without exception; raises `InvalidParams` otherwise."""
    if arguments is None:
        return {}
    if type(arguments) is not dict:
        raise InvalidParams(f"{prompt}: arguments must be an object")
    for name, value in arguments.items():
        if type(value) is not str:
            raise InvalidParams(f"{prompt}: argument {name!r} must be a string, got {value!r:.60}")
    return arguments


def messages_of(value: Any, description: str | None, revision: Revision) -> Model:
    """Return the prompts/get result for a returned value, as the revision knows it.

    A string is one message of the user, a list is several; each member is a string, a message (a model, or a dict of
    role and content), or content of the user. Raises TypeError for None, which is no message.
    """
    from mcport.spec.types import GetPromptResult

    if isinstance(value, GetPromptResult):
        return value.model_copy(update={"messages": [_message(member, revision) for member in value.messages]})
    members = value if isinstance(value, list | tuple) else [value]
    return GetPromptResult(description=description, messages=[_message(member, revision) for member in members])


def _message(value: Any, revision: Revision) -> Model:
    from mcport.spec.types import PromptMessage

    if value is None:
        raise TypeError("a prompt returns text or messages, not None")
    if isinstance(value, dict) and value.keys() == {"role", "content"}:
        content = value["content"]
        value = PromptMessage(
            role=value["role"], content=block_of(content, revision) if isinstance(content, str) else content
        )
    if isinstance(value, PromptMessage):
        return value.model_copy(update={"content": _typed(block_of(value.content, revision))})
    return PromptMessage(role="user", content=_typed(block_of(value, revision)))


def _typed(block: Any) -> Any:
    """Return a block; one with a resource in it says of which type that is (server/prompts, "Embedded Resources")."""
    resource = getattr(block, "resource", None)
    if resource is None or resource.mime_type is not None:
        return block
    mime_type = "application/octet-stream" if hasattr(resource, "blob") else "text/plain"
    return block.model_copy(update={"resource": resource.model_copy(update={"mime_type": mime_type})})
