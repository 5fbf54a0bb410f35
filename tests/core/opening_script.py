"""Conversations that open, played from a script: what each step is answered with, and what was done, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcport.core.dialects.opening import (
    Approach,
    Downgrade,
    Forget,
    Gone,
    Notify,
    Opened,
    OpeningFailed,
    Outcome,
    Ready,
    Refused,
    Replied,
    Restart,
    Send,
    Silent,
    Step,
    Wait,
    open_conversation,
)
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import HANDSHAKE, REVISIONS, Revision

R26, R11, R06 = REVISIONS["2026-07-28"], REVISIONS["2025-11-25"], REVISIONS["2025-06-18"]
R03, R24 = REVISIONS["2025-03-26"], REVISIONS["2024-11-05"]
R27 = Revision(name="2027-01-01", era="stateless")
META = "io.modelcontextprotocol/"


def approach(
    *,
    http: bool = False,
    revisions: tuple[Revision, ...] = (R26, *HANDSHAKE),
    seconds: float = 5.0,
    demanded: Revision | None = None,
    remembered: Revision | None = None,
) -> Approach:
    return Approach(
        info=lambda revision: {"name": "client", "version": revision.name},
        capabilities=lambda revision: {"roots": {}} if revision.era == "handshake" else {"sampling": {}},
        revisions=revisions,
        demanded=demanded,
        remembered=remembered,
        probe_seconds=seconds,
        transport="http" if http else "stream",
    )


PROBE = ["server/discover 2026-07-28", "wait 5.0 for server/discover"]
PROBE_HTTP = ["server/discover 2026-07-28", "wait long for server/discover"]
SHAKE = ["initialize 2025-11-25", "wait long for initialize"]
DONE = ["notifications/initialized"]

Awaited = dict[str, str]
"""Method -> the key of the last request for it."""

Answer = Callable[[Awaited], Outcome]


def replied(method: str, result: JsonObject) -> Answer:
    return lambda keys: Replied(keys[method], result)


def discovered(*names: str, **more: object) -> Answer:
    return replied("server/discover", {"supportedVersions": [*names], "capabilities": {"tools": {}}, **more})


def initialized(version: str, **more: object) -> Answer:
    result = {"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
    return replied("initialize", result | more)


def refused(method: str, code: int | None, status: int | None = None, supported: object = None) -> Answer:
    data = None if supported is None else {"supported": supported}
    return lambda keys: Refused(keys[method], code, "" if code is None else "because", data, status)


def probe_refused(code: int | None, status: int | None = None, supported: object = None) -> Answer:
    return refused("server/discover", code, status, supported)


def initialize_refused(code: int | None, status: int | None = None, supported: object = None) -> Answer:
    return refused("initialize", code, status, supported)


def silent(_: Awaited) -> Outcome:
    return Silent()


def gone(_: Awaited) -> Outcome:
    return Gone("exit code 1")


def ready(_: Awaited) -> Outcome:
    return Ready()


@dataclass
class Played:
    """What a conversation did: its steps in words, and how it ended."""

    steps: list[str]
    sent: list[Send]
    end: Opened | OpeningFailed

    @property
    def opened(self) -> str:
        assert isinstance(self.end, Opened), self.end
        return self.end.revision.name


def in_words(step: Step) -> str:
    match step:
        case Send(method="initialize", params=params):
            return f"initialize {params['protocolVersion']}"
        case Send(method=method, params=params):
            return f"{method} {params['_meta'][META + 'protocolVersion']}"
        case Notify(method=method):
            return method
        case Forget(key=key):
            return f"forget {key.split(' ')[0]}"
        case Wait(keys=keys, seconds=seconds):
            return (
                f"wait {'long' if seconds is None else seconds} for {' and '.join(key.split(' ')[0] for key in keys)}"
            )
        case Restart():
            return "restart"
        case Downgrade():
            return "downgrade"


def play(client: Approach, *answers: Answer) -> Played:
    """Drive a conversation with these outcomes, one for each step that asks for one."""
    steps: list[str] = []
    sent: list[Send] = []
    keys: Awaited = {}
    script = iter(answers)
    conversation = open_conversation(client)
    outcome: Outcome | None = None
    try:
        while True:
            step = conversation.send(outcome)
            steps.append(in_words(step))
            outcome = None
            if isinstance(step, Send):
                sent.append(step)
                keys[step.method] = step.key
            elif isinstance(step, Wait | Restart | Downgrade):
                outcome = _next(script)(keys)
    except StopIteration as stop:
        end: Opened | OpeningFailed = stop.value
    except OpeningFailed as failure:
        end = failure
    assert next(script, None) is None, "the conversation ended before the script"
    return Played(steps, sent, end)


def _next(script: Iterator[Answer]) -> Answer:
    answer = next(script, None)
    assert answer is not None, "the script ended before the conversation"
    return answer
