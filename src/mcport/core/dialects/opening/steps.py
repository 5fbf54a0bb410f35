"""What passes between an opening and whoever drives it: the client's wish, steps, outcomes, and how it ends.

Values only. Below: the revisions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Final, Literal, TypeAlias

from mcport.core.jsonrpc import JsonObject
from mcport.record import Record
from mcport.spec.revisions import REVISIONS, Revision

PROBE_SECONDS: Final = 5.0
"""How long a server on a stream may stay silent before `initialize` is tried as well."""


class Approach(Record):
    """What a client says of itself, and what it wants.

    Attributes:
        info: the members of its Implementation, for one revision.
        capabilities: its capabilities, for one revision.
        revisions: what it speaks, newest first.
        demanded: the one revision that it wants, or none other.
        remembered: what was spoken with this server before; a hint, wrong or not.
        probe_seconds: how long a server on a stream may stay silent before `initialize` is tried as well.
        transport: whether messages share one stream or each has an HTTP answer of its own.
        result_types: the values of `resultType` that its extensions add, with the methods that may be answered so.
        named: the parameter that HTTP requests repeat in `Mcp-Name`, by the methods of its extensions.
    """

    info: Callable[[Revision], JsonObject]
    capabilities: Callable[[Revision], JsonObject]
    revisions: Sequence[Revision] = tuple(REVISIONS.values())
    demanded: Revision | None = None
    remembered: Revision | None = None
    probe_seconds: float = PROBE_SECONDS
    transport: Literal["stream", "http"] = "stream"
    result_types: Mapping[str, Collection[str]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


# ---- steps, which the driver takes


class Send(Record):
    """Send a request. Its answer is reported under the key."""

    key: str
    method: str
    params: JsonObject


class Notify(Record):
    """Send a notification."""

    method: str


class Forget(Record):
    """Drop the answer to this request should it ever come; do not cancel it (an `initialize` may not be cancelled)."""

    key: str


class Wait(Record):
    """Report the next answer to one of these requests, the end of the server, or that the time is up.

    Without `seconds` the time is the driver's: whoever opens the conversation has limited it as a whole.
    """

    keys: tuple[str, ...]
    seconds: float | None = None


class Restart(Record):
    """Start the server again; what was asked of the old one is void. Report `Ready` or `Gone`."""

    reason: str


class Downgrade(Record):
    """Go on over HTTP+SSE: GET the URL and take the `endpoint` event as proof. Report `Ready` or `Gone`."""

    reason: str


Step: TypeAlias = Send | Notify | Forget | Wait | Restart | Downgrade


# ---- outcomes, which the driver reports


class Replied(Record):
    """A request was answered with a result."""

    key: str
    result: JsonObject


class Refused(Record):
    """A request was answered with anything else.

    `code`, `message` and `data` are those of the JSON-RPC error. Over HTTP the error in the body counts whatever its
    id, for servers write null or a text there. `code` is None if there is no such error; `message` may then say in the
    driver's words what there was instead.
    """

    key: str
    code: int | None
    message: str = ""
    data: object = None
    http_status: int | None = None

    @property
    def supported(self) -> tuple[str, ...]:
        """The names of the revisions that the error lists."""
        return supported_names(self.data.get("supported") if isinstance(self.data, dict) else None)

    def __str__(self) -> str:
        words = [] if self.http_status is None else [f"HTTP {self.http_status}"]
        message = self.message[:200]
        words.append(message or "no JSON-RPC error" if self.code is None else f"error {self.code} {message!r}")
        if self.supported:
            words.append(f"supported: {', '.join(self.supported)}")
        return ", ".join(words)


class Silent(Record):
    """The time is up."""


class Gone(Record):
    """The server ended, or could not be reached, or not in this way."""

    reason: str


class Ready(Record):
    """What was asked for is done."""


Outcome: TypeAlias = Replied | Refused | Silent | Gone | Ready


class Opened(Record):
    """A conversation is open.

    Attributes:
        revision: what is spoken in it.
        server_info: the members of the server's Implementation, if it said them. For display only.
        capabilities: the server's capabilities.
        instructions: what it wants models to know.
        supported: the names of the revisions that it says it speaks; only the agreed one in the handshake era.
        raw: the result that says all this.
    """

    revision: Revision
    server_info: JsonObject | None
    capabilities: JsonObject
    instructions: str | None
    supported: tuple[str, ...]
    raw: JsonObject = field(repr=False)


# ---- failures


class OpeningFailed(Exception):
    """No conversation came about.

    `phase` is the request that it came to grief over, `reason` one line that says why.
    """

    def __init__(self, phase: str, reason: str) -> None:
        super().__init__(f"{phase}: {reason}")
        self.phase = phase
        self.reason = reason


class NoCommonRevision(OpeningFailed):
    """Both sides speak, but nothing that the other would. `theirs` is empty if the server did not say."""

    def __init__(self, phase: str, reason: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
        super().__init__(phase, reason)
        self.ours = ours
        self.theirs = theirs


class OpeningRefused(OpeningFailed):
    """The server answered with an error that leaves nothing to try."""

    def __init__(self, phase: str, refused: Refused) -> None:
        super().__init__(phase, f"the server answered {refused}")
        self.refused = refused


class ServerGone(OpeningFailed):
    """The server ended or cannot be reached."""


def supported_names(value: object) -> tuple[str, ...]:
    """The names of revisions in what a peer sent as a list of them; what is no text is left out."""
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
