"""The five revisions of the protocol, and what is possible in each, under names that say it.

Code asks a revision for an ability and never looks at its date: this is the only hand-written file with dates in it.
Methods and fields are not repeated here; `methods` and `deltas` have them. Nothing sits below.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from mcport.record import Record

Era: TypeAlias = Literal["handshake", "stateless"]


class Revision(Record, kw_only=True):
    """One revision. An ability that is not mentioned for a revision is one it does not have.

    `name` is what stands on the wire. `era` is `handshake` (an `initialize` opens a session, both sides may ask) or
    `stateless` (each request carries what it needs, and a server asks by returning).
    """

    name: str
    era: Era

    # Transports (basic/transports)
    has_streamable_http: bool = True
    """One HTTP endpoint; else the two endpoints of HTTP+SSE."""
    allows_batches: bool = False
    """Arrays of messages must be received."""
    requires_version_header: bool = False
    """HTTP requests after the opening name the revision in `MCP-Protocol-Version`."""
    requires_routing_headers: bool = False
    """HTTP requests repeat method and name in `Mcp-Method` and `Mcp-Name`."""
    has_http_sessions: bool = False
    """A server may mint `Mcp-Session-Id`."""
    resumes_streams: bool = False
    """A broken stream may be resumed with `Last-Event-ID`."""
    polls_streams: bool = False
    """A server may close a stream early and have the client come back after `retry`."""
    disconnect_cancels: bool = False
    """A client that closes the stream of its request has cancelled it."""
    authorizes_itself: bool = False
    """A server that wants authorization gives it at its own origin, and publishes no metadata as a resource."""

    # Asking back (client/*)
    elicits: bool = False
    """A server may ask the user for something, by a form."""
    elicits_url: bool = False
    """A server may send the user to a URL."""
    identifies_url_elicitations: bool = False
    """A URL elicitation has an id, is announced as complete, and may be demanded with error -32042."""
    elicits_defaults: bool = False
    """A form may have defaults other than for booleans, titled choices, and choices of several."""
    samples_with_tools: bool = False
    """Sampling may offer tools, and messages may hold several pieces of content."""
    deprecates_model_and_roots: bool = False
    """Asking for the client's model or its roots is to be given up (deprecated features)."""
    asks_by_returning: bool = False
    """Questions travel in a result, and answers in a retry; no request ever goes from server to client."""

    # Results and content (server/*)
    has_structured_output: bool = False
    """Tools may have an output schema, and results structured content."""
    structured_any_json: bool = False
    """Structured content may be any JSON value, null included; else an object."""
    has_resource_links: bool = False
    """Content may be a link to a resource."""
    has_audio: bool = False
    """Content may be audio."""
    has_tool_annotations: bool = False
    """Tools may carry hints on what they do."""
    has_titles: bool = False
    """Things may have a title for people beside their name, and `_meta`."""
    has_icons: bool = False
    """Things may have icons; implementations also a description and a website."""
    reserves_meta_by_second_label: bool = False
    """Keys of `_meta` are the protocol's by the second label of their prefix; else by the label before the last."""
    has_progress_message: bool = False
    """Progress may say in words what is going on."""
    completes_with_context: bool = False
    """Completion is told the arguments that are already filled in."""
    completions_capability: bool = False
    """Completion is declared as a capability; else it may be tried on any server."""
    caches_results: bool = False
    """Results say how long and for whom they are good."""
    has_subscription_streams: bool = False
    """A client listens with one open request; else notifications come unasked."""
    has_extensions: bool = False
    """Both sides may declare extensions."""
    logs_per_request: bool = False
    """Each request says which log level it wants; else `logging/setLevel` says it once."""

    # Errors
    resource_not_found_code: int = -32002
    """The error code for a resource that is not there."""
    tool_argument_errors_are_results: bool = False
    """A tool called with bad arguments answers a result with `isError`; else error -32602."""

    def __repr__(self) -> str:
        return f"Revision({self.name!r})"


_R2024_11_05 = Revision(name="2024-11-05", era="handshake", has_streamable_http=False)

_R2025_03_26 = Revision(
    name="2025-03-26",
    era="handshake",
    allows_batches=True,
    has_http_sessions=True,
    authorizes_itself=True,
    resumes_streams=True,
    has_audio=True,
    has_tool_annotations=True,
    has_progress_message=True,
    completions_capability=True,
)

_R2025_06_18 = Revision(
    name="2025-06-18",
    era="handshake",
    requires_version_header=True,
    has_http_sessions=True,
    resumes_streams=True,
    elicits=True,
    has_structured_output=True,
    has_resource_links=True,
    has_audio=True,
    has_tool_annotations=True,
    has_titles=True,
    has_progress_message=True,
    completes_with_context=True,
    completions_capability=True,
)

_R2025_11_25 = Revision(
    name="2025-11-25",
    era="handshake",
    requires_version_header=True,
    has_http_sessions=True,
    resumes_streams=True,
    polls_streams=True,
    elicits=True,
    elicits_url=True,
    identifies_url_elicitations=True,
    elicits_defaults=True,
    samples_with_tools=True,
    has_structured_output=True,
    has_resource_links=True,
    has_audio=True,
    has_tool_annotations=True,
    has_titles=True,
    has_icons=True,
    reserves_meta_by_second_label=True,
    has_progress_message=True,
    completes_with_context=True,
    completions_capability=True,
    tool_argument_errors_are_results=True,
)

_R2026_07_28 = Revision(
    name="2026-07-28",
    era="stateless",
    requires_version_header=True,
    requires_routing_headers=True,
    disconnect_cancels=True,
    elicits=True,
    elicits_url=True,
    elicits_defaults=True,
    samples_with_tools=True,
    deprecates_model_and_roots=True,
    asks_by_returning=True,
    has_structured_output=True,
    structured_any_json=True,
    has_resource_links=True,
    has_audio=True,
    has_tool_annotations=True,
    has_titles=True,
    has_icons=True,
    reserves_meta_by_second_label=True,
    has_progress_message=True,
    completes_with_context=True,
    completions_capability=True,
    caches_results=True,
    has_subscription_streams=True,
    has_extensions=True,
    logs_per_request=True,
    resource_not_found_code=-32602,
    tool_argument_errors_are_results=True,
)

REVISIONS: Final[Mapping[str, Revision]] = MappingProxyType(
    {revision.name: revision for revision in (_R2026_07_28, _R2025_11_25, _R2025_06_18, _R2025_03_26, _R2024_11_05)}
)
"""Name -> revision, newest first."""

HANDSHAKE: Final[tuple[Revision, ...]] = tuple(each for each in REVISIONS.values() if each.era == "handshake")
"""The revisions of the handshake era, newest first."""

STATELESS: Final[tuple[Revision, ...]] = tuple(each for each in REVISIONS.values() if each.era == "stateless")
"""The revisions of the stateless era, newest first."""

LATEST: Final[Revision] = next(iter(REVISIONS.values()))
"""The newest revision."""

LATEST_HANDSHAKE: Final[Revision] = HANDSHAKE[0]
"""The newest revision that `initialize` may negotiate."""
