"""How much of anything is too much: every bound of mcport in one place.

Each bound has a default and none of them is `None`. Sizes are in bytes. Nothing sits below.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

_MAY_BE_NOTHING: Final = frozenset({"requests_queued", "bad_lines", "stderr_bytes"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one side of a conversation.

    A message over `message_bytes` is refused without being parsed. At most `requests_in_flight` requests of the peer
    run at once; up to `requests_queued` more wait, and any further one is answered with an error. Handlers wait once
    `outbox_bytes` are queued for a peer that reads slowly; over `outbox_hard_bytes` the connection is given up.

    A connection may keep `listens` requests open that wait for changes, and a server `listeners` of them in all; each
    of these, and each session, may follow `subscriptions` resources. Up to `notices` notifications of an application
    wait for a listener that reads slowly. `logs_per_second` log messages go to one client, further ones are dropped. Of
    each principal at most `completions_per_second` are served. Of the handshake era there are at most so many
    `sessions` over HTTP.
    """

    message_bytes: int = 4 * MIB
    requests_in_flight: int = 100
    requests_queued: int = 1000
    outbox_bytes: int = 8 * MIB
    outbox_hard_bytes: int = 64 * MIB
    bad_lines: int = 20
    listens: int = 100
    listeners: int = 20_000
    subscriptions: int = 1000
    notices: int = 1000
    logs_per_second: int = 500
    worker_threads: int = 40
    sessions: int = 10_000
    uri_bytes: int = 8 * KIB
    state_bytes: int = 256 * KIB
    list_pages: int = 1000
    completions_per_second: int = 100
    questions_per_minute: int = 600
    stderr_bytes: int = 64 * KIB
    cache_entries: int = 256
    cache_bytes: int = 16 * MIB

    def __post_init__(self) -> None:
        for bound in fields(self):
            value, least = getattr(self, bound.name), 0 if bound.name in _MAY_BE_NOTHING else 1
            if type(value) is not int or value < least:
                raise ValueError(f"Limits.{bound.name} must be an integer of at least {least}, not {value!r}")

    def but(self, **changes: int) -> Limits:
        """Return a copy with some bounds changed. Raises ValueError for what is no bound."""
        return replace(self, **changes)


SERVER_LIMITS: Final = Limits()
CLIENT_LIMITS: Final = Limits(message_bytes=16 * MIB)
