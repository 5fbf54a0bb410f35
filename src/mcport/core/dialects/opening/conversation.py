"""The opening: how a client finds out which revision it speaks with the server that it faces.

One conversation, as a generator. It yields steps, which its driver takes, and is sent outcomes; it has no clock and
touches nothing. It refuses to know how messages travel, save that an answer over HTTP has a status. Below: the
revisions, the error codes and the reserved names of `_meta`.

    conversation = open_conversation(approach)
    step = next(conversation)             # Send, Notify, Forget: do it and send None
    step = conversation.send(outcome)     # Wait, Restart, Downgrade: send what came of it; `Opened` is returned

What it does (2026-07-28 basic/transports/stdio and basic/transports/streamable-http "Backward Compatibility",
basic/versioning; lifecycle of the older revisions). A revision that is demanded is the only one spoken of.

    state        what happens                        what follows
    -----------  ----------------------------------  ----------------------------------------------------------------
    probing      DiscoverResult                      the newest revision in common; `initialize` if it is a handshake
      asked      error -32022                        the same by `data.supported`, with another `server/discover`
      `server/   error -32020 or -32021              failure: stateless, and nothing that could be put right
      discover`  any other answer                    shaking
                 silence (stream)                    racing
                 the process ends (stream)           restart once, shaking
    racing       a late answer to the probe          as while probing; an `initialize` under way is used or forgotten
      asked      result of `initialize`              open; the answer to the probe is forgotten
      for both   error of `initialize`               the probe is given as long again
    shaking      result, version known               `notifications/initialized`, open
      asked      result, other version               failure that names both
      for        error that lists versions           once more with the newest in common
      `init-     400, 404, 405 over HTTP             HTTP+SSE is tried
      ialize`    any other error, or the end         failure

A remembered handshake server is asked for `initialize` at once, and probed if that fails; silence is no failure then,
since a server that is probed while it starts could take the probe amiss. A remembered stateless revision is probed
with. A demanded stateless revision is opened with `server/discover` as well, since that tells who the server is and
turns an older one away before it misreads a request; `initialize` is never sent. A stateless revision never stands in
`initialize`. What says nothing of the era (401, 403, 408, 429, other statuses outside 200 and 400, a lost connection
over HTTP) is a failure and nothing to remember; authorization is the driver's business, before it reports anything.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final, TypeAlias, TypeVar

from mcport.core.dialects.contract import META_CAPABILITIES, META_CLIENT, META_SERVER, META_VERSION
from mcport.core.jsonrpc import JsonObject
from mcport.errors import HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_REVISION
from mcport.spec.revisions import Revision

from .steps import (
    Approach,
    Downgrade,
    Forget,
    Gone,
    NoCommonRevision,
    Notify,
    Opened,
    OpeningFailed,
    OpeningRefused,
    Outcome,
    Refused,
    Replied,
    Restart,
    Send,
    ServerGone,
    Silent,
    Step,
    Wait,
    supported_names,
)

DISCOVER: Final = "server/discover"
INITIALIZE: Final = "initialize"
INITIALIZED: Final = "notifications/initialized"

_STATELESS_CODES: Final = (HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_REVISION)
_NOT_FOR_US: Final = (401, 403, 408, 429)
_MAYBE_SSE: Final = (400, 404, 405)

T = TypeVar("T")
Conversation: TypeAlias = Generator[Step, Outcome | None, T]


def open_conversation(approach: Approach) -> Conversation[Opened]:
    """Find out what the server speaks, and open a conversation in the newest revision in common.

    Raises:
        OpeningFailed: there is none; then nothing is worth remembering.
        ValueError: the approach names no revision.
    """
    return (yield from _Opening(approach).run())


def newest_common(ours: Iterable[Revision], names: Iterable[str]) -> Revision | None:
    """The first of our revisions that is among the names."""
    theirs = frozenset(names)
    return next((revision for revision in ours if revision.name in theirs), None)


class _Opening:
    """What is known so far, and the states of the table above."""

    def __init__(self, approach: Approach) -> None:
        self.approach = approach
        self.ours = (approach.demanded,) if approach.demanded else tuple(approach.revisions)
        if not self.ours:
            raise ValueError("a client speaks at least one revision")
        self.handshake = tuple(revision for revision in self.ours if revision.era == "handshake")
        self.stateless = tuple(revision for revision in self.ours if revision.era == "stateless")
        self.http = approach.transport == "http"
        self.awaited: dict[str, str] = {}  # key -> method
        self.sent = 0
        self.probes = 0
        self.offered: Revision | None = None
        self.recalling = False
        self.restarted = False
        self.proven_stateless = False
        self.renegotiated = False
        self.refusal: OpeningRefused | None = None  # of an `initialize` that raced with the probe

    def run(self) -> Conversation[Opened]:
        remembered = self.approach.remembered
        if not self.stateless:
            return (yield from self.shake(self.handshake[0]))
        if remembered is None or remembered not in self.ours:
            return (yield from self.probe(self.stateless[0]))
        if remembered.era == "stateless":
            return (yield from self.probe(remembered))
        return (yield from self.recall())

    def recall(self) -> Conversation[Opened]:
        """Open as before; if that fails, find out anew."""
        self.recalling = True
        try:
            return (yield from self.shake(self.handshake[0]))
        except OpeningRefused as error:
            if _says_nothing(error.refused):
                raise
        except ServerGone as error:
            if self.http:
                raise
            yield from self.restart(error.reason)
        self.recalling = False
        return (yield from self.probe(self.stateless[0]))

    # ---- probing and racing

    def probe(self, revision: Revision) -> Conversation[Opened]:
        self.probes += 1
        meta = {
            META_VERSION: revision.name,
            META_CLIENT: self.approach.info(revision),
            META_CAPABILITIES: self.approach.capabilities(revision),
        }
        yield from self.send(DISCOVER, {"_meta": meta})
        impatient = bool(self.handshake) and not self.http and not self.proven_stateless
        _, outcome = yield from self.wait(self.approach.probe_seconds if impatient else None)
        if isinstance(outcome, Silent) and impatient:
            yield from self.offer(self.handshake[0])
            return (yield from self.race())
        return (yield from self.probed(outcome))

    def race(self) -> Conversation[Opened]:
        method, outcome = yield from self.wait(None)
        if method != INITIALIZE:
            return (yield from self.probed(outcome))
        if isinstance(outcome, Replied):
            return (yield from self.shaken(outcome.result))
        if isinstance(outcome, Refused):
            self.refusal = OpeningRefused(INITIALIZE, outcome)
            proven = outcome.code in _STATELESS_CODES
            _, outcome = yield from self.wait(None if proven else self.approach.probe_seconds)
        return (yield from self.probed(outcome))

    def probed(self, outcome: Outcome) -> Conversation[Opened]:
        """Judge what came of the probe."""
        match outcome:
            case Replied(result=result):
                if names := supported_names(result.get("supportedVersions")):
                    return (yield from self.settle(names, result))
                return (yield from self.not_stateless("a result that names no revisions"))
            case Refused():
                if outcome.code == UNSUPPORTED_REVISION:
                    return (yield from self.settle(outcome.supported, None))
                if outcome.code in _STATELESS_CODES or _says_nothing(outcome):
                    raise OpeningRefused(DISCOVER, outcome)
                return (yield from self.not_stateless(str(outcome)))
            case Gone(reason=reason):
                return (yield from self.died(reason))
            case _:
                raise self.refusal or OpeningFailed(DISCOVER, "the server did not answer")

    def settle(self, names: tuple[str, ...], result: JsonObject | None) -> Conversation[Opened]:
        """Take the newest revision in common; without a result of the probe it is asked for again."""
        revision = newest_common(self.ours, names)
        if revision is None:
            raise self.nothing_in_common(DISCOVER, names)
        if revision.era == "handshake":
            return (yield from self.shake(revision))
        self.proven_stateless = True
        yield from self.forget()
        if result is not None:
            return _opened(revision, result, names)
        if self.probes > len(self.stateless):
            raise OpeningFailed(DISCOVER, f"the server refuses {revision.name} and lists it as supported")
        return (yield from self.probe(revision))

    def not_stateless(self, answer: str) -> Conversation[Opened]:
        if not self.handshake:
            reason = f"the server answered {answer}, as one does that wants `initialize`; {self.speaking()}"
            raise NoCommonRevision(DISCOVER, reason, self.names(), ())
        return (yield from self.shake(self.handshake[0]))

    def died(self, reason: str) -> Conversation[Opened]:
        if self.refusal is not None:
            raise self.refusal
        if self.http or self.restarted or self.proven_stateless or not self.handshake:
            raise ServerGone(DISCOVER, reason)
        yield from self.restart(reason)
        return (yield from self.shake(self.handshake[0]))

    # ---- shaking

    def shake(self, revision: Revision) -> Conversation[Opened]:
        if self.refusal is not None:
            raise self.refusal
        if INITIALIZE not in self.awaited.values():
            yield from self.offer(revision)
        _, outcome = yield from self.wait(None)
        match outcome:
            case Replied(result=result):
                return (yield from self.shaken(result))
            case Refused():
                return (yield from self.turned_down(outcome))
            case Gone(reason=reason):
                raise ServerGone(INITIALIZE, reason)
            case _:
                raise OpeningFailed(INITIALIZE, "the server did not answer")

    def shaken(self, result: JsonObject) -> Conversation[Opened]:
        name = result.get("protocolVersion")
        if not isinstance(name, str):
            raise OpeningFailed(INITIALIZE, "the server's result names no protocolVersion")
        revision = newest_common(self.handshake, [name])
        if revision is None:
            raise self.nothing_in_common(INITIALIZE, (name,))
        yield from self.forget()
        yield Notify(INITIALIZED)
        return _opened(revision, result, (name,))

    def turned_down(self, refused: Refused) -> Conversation[Opened]:
        revision = newest_common(self.handshake, refused.supported)
        if revision is not None and revision != self.offered and not self.renegotiated:
            self.renegotiated = True
            return (yield from self.shake(revision))
        over_sse = self.http and not self.recalling and refused.http_status in _MAYBE_SSE
        if not over_sse or refused.code in _STATELESS_CODES:
            raise OpeningRefused(INITIALIZE, refused)
        outcome = yield Downgrade(str(refused))
        if isinstance(outcome, Gone):
            raise OpeningRefused(INITIALIZE, refused) from ServerGone("HTTP+SSE", outcome.reason)
        self.http = False
        return (yield from self.shake(self.handshake[0]))

    # ---- single steps

    def send(self, method: str, params: JsonObject) -> Conversation[None]:
        self.sent += 1
        key = f"{method} {self.sent}"
        self.awaited[key] = method
        yield Send(key, method, params)

    def offer(self, revision: Revision) -> Conversation[None]:
        self.offered = revision
        params: JsonObject = {
            "protocolVersion": revision.name,
            "capabilities": self.approach.capabilities(revision),
            "clientInfo": self.approach.info(revision),
        }
        yield from self.send(INITIALIZE, params)

    def wait(self, seconds: float | None) -> Conversation[tuple[str, Outcome]]:
        """Return the next outcome, with the method that it answers; what answers nothing awaited is dropped."""
        while True:
            outcome = yield Wait(tuple(self.awaited), seconds)
            if isinstance(outcome, Replied | Refused):
                if (method := self.awaited.pop(outcome.key, None)) is not None:
                    return method, outcome
            elif outcome is not None:
                return "", outcome

    def forget(self) -> Conversation[None]:
        for key in self.awaited:
            yield Forget(key)
        self.awaited.clear()

    def restart(self, reason: str) -> Conversation[None]:
        self.restarted = True
        self.awaited.clear()
        outcome = yield Restart(reason)
        if isinstance(outcome, Gone):
            raise ServerGone("restart", outcome.reason)

    # ---- words

    def names(self) -> tuple[str, ...]:
        return tuple(revision.name for revision in self.ours)

    def speaking(self) -> str:
        return f"this client {'is to speak only' if self.approach.demanded else 'speaks'} {', '.join(self.names())}"

    def nothing_in_common(self, phase: str, theirs: tuple[str, ...]) -> NoCommonRevision:
        said = f"the server speaks {', '.join(theirs)}" if theirs else "the server does not say what it speaks"
        return NoCommonRevision(phase, f"{said}; {self.speaking()}", self.names(), theirs)


def _opened(revision: Revision, result: JsonObject, supported: tuple[str, ...]) -> Opened:
    info = _object(result.get("_meta")).get(META_SERVER)
    info = info if isinstance(info, dict) else result.get("serverInfo")
    instructions = result.get("instructions")
    return Opened(
        revision=revision,
        server_info=info if isinstance(info, dict) else None,
        capabilities=_object(result.get("capabilities")),
        instructions=instructions if isinstance(instructions, str) else None,
        supported=supported,
        raw=result,
    )


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _says_nothing(refused: Refused) -> bool:
    """Whether the HTTP status speaks of something else than what the server speaks."""
    status = refused.http_status
    if status is None:
        return False
    return status in _NOT_FOR_US or not (200 <= status < 300 or 400 <= status < 500)
