"""A client that opens a conversation with any kind of server, its answers early, late, out of order or never."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mcport.core.dialects.opening import (
    Approach,
    Conversation,
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
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS, Revision
from tests.core.opening_script import R27, approach

VERSION = "io.modelcontextprotocol/protocolVersion"
ALL = (R27, *REVISIONS.values())
ERAS = {revision.name: revision.era for revision in ALL}


@dataclass(frozen=True)
class Server:
    """What a server serves and how it treats what it does not know.

    `probed` is how a server without a stateless revision meets the probe: an error code (None for a body without one),
    or "silent", "dies", "empty" for a result that says nothing. `shaken` is how it meets `initialize`: properly, or
    "silent", "dies", "wrong", "nameless", "errs", or "lists" for an error with the versions that it would take.
    """

    names: tuple[str, ...]
    probed: int | str | None = -32601
    shaken: str = "properly"
    status: int = 400
    only_sse: bool = False

    @property
    def stateless(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if ERAS[name] == "stateless")

    @property
    def handshake(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if ERAS[name] == "handshake")

    def answer(self, sent: Send, http: bool) -> Outcome | None:
        """What comes back for a request; None for nothing."""
        if http and self.only_sse:
            return Refused(sent.key, None, http_status=405)
        answer = self.discover(sent) if sent.method == "server/discover" else self.initialize(sent)
        if isinstance(answer, Refused) and http:
            return Refused(answer.key, answer.code, answer.message, answer.data, self.status)
        return answer

    def discover(self, sent: Send) -> Outcome | None:
        asked = sent.params["_meta"][VERSION]
        if asked in self.stateless:
            return Replied(sent.key, {"resultType": "complete", "supportedVersions": [*self.names], "capabilities": {}})
        if self.stateless:
            return Refused(sent.key, -32022, data={"supported": [*self.names], "requested": asked})
        if isinstance(self.probed, int | None):
            return Refused(sent.key, self.probed)
        return {"silent": None, "dies": Gone("dead"), "empty": Replied(sent.key, {})}[self.probed]

    def initialize(self, sent: Send) -> Outcome | None:
        asked = sent.params["protocolVersion"]
        if not self.handshake:
            return Refused(sent.key, -32602, data={"supported": [*self.names]})
        if self.shaken == "properly" or (self.shaken == "lists" and asked in self.handshake):
            return shaken(sent, asked if asked in self.handshake else self.handshake[0])
        return {
            "silent": None,
            "dies": Gone("dead"),
            "wrong": shaken(sent, "1999-12-31"),
            "nameless": Replied(sent.key, {"capabilities": {}}),
            "errs": Refused(sent.key, -32603),
            "lists": Refused(sent.key, -32602, data={"supported": [*self.handshake]}),
        }[self.shaken]


def shaken(sent: Send, version: str) -> Replied:
    result: JsonObject = {"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
    return Replied(sent.key, result)


@dataclass
class Driver:
    """Takes the steps of a conversation that need no decision, and watches that none of them is out of order."""

    client: Approach
    server: Server
    http: bool = False
    coming: list[Outcome] = field(default_factory=list)
    sent: list[Send] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    notified: int = 0
    restarts: int = 0
    downgrades: int = 0
    step: Step | None = None
    end: Opened | OpeningFailed | None = None

    def __post_init__(self) -> None:
        self.http = self.client.transport == "http"
        self.conversation: Conversation[Opened] = open_conversation(self.client)
        self.report(None)

    def report(self, outcome: Outcome | None) -> None:
        """Send what came, and go on to the next step that waits for something."""
        if isinstance(outcome, Replied | Refused):
            self.open.discard(outcome.key)
        try:
            self.step = self.conversation.send(outcome)
            while not isinstance(self.step, Wait | Restart | Downgrade):
                self.take(self.step)
                self.step = self.conversation.send(None)
        except StopIteration as stop:
            self.step, self.end = None, stop.value
        except OpeningFailed as failure:
            self.step, self.end = None, failure

    def take(self, step: Send | Notify | Forget) -> None:
        match step:
            case Send(key=key, method=method):
                assert all(other.key != key for other in self.sent), "a key was used twice"
                assert not any(waiting.startswith(method) for waiting in self.open), "asked twice at the same time"
                self.sent.append(step)
                self.open.add(key)
                if answer := self.server.answer(step, self.http):
                    self.coming.append(answer)
            case Forget(key=key):
                assert key in self.open, "what is not awaited was forgotten"
                self.open.discard(key)
                self.dropped.add(key)
                self.coming = [each for each in self.coming if getattr(each, "key", None) != key]
            case Notify():
                self.notified += 1

    def forward(self) -> None:
        """Let happen what a server without moods would do next."""
        match self.step:
            case Wait(keys=keys):
                assert set(keys) == self.open
                self.report(self.coming.pop(0) if self.coming else Silent())
            case Restart():
                self.restart(Ready())
            case Downgrade():
                self.downgrade(Ready() if self.server.only_sse else Gone("no event stream"))

    def restart(self, outcome: Outcome) -> None:
        self.restarts += 1
        self.coming.clear()
        self.open.clear()
        self.report(outcome)

    def downgrade(self, outcome: Outcome) -> None:
        self.downgrades += 1
        self.http = False
        self.report(outcome)


def negotiated(client: Approach, server: Server) -> str | None:
    """What the rules of both eras lead to when everything works; None for a failure."""
    ours = [client.demanded.name] if client.demanded else [revision.name for revision in client.revisions]
    stateless = [name for name in ours if ERAS[name] == "stateless"]
    handshake = [name for name in ours if ERAS[name] == "handshake"]
    recalls = client.remembered in HANDSHAKE and client.remembered in client.revisions and bool(handshake)
    if not server.only_sse and server.stateless and stateless and not (recalls and server.handshake):
        # The server says all that it speaks.
        common = [name for name in ours if name in server.names]
        return common[0] if common else None
    if not handshake or not server.handshake:
        return None
    agreed = handshake[0] if handshake[0] in server.handshake else server.handshake[0]
    return agreed if agreed in handshake else None


# ---- the matrix


def downwards(revisions: tuple[Revision, ...]) -> list[tuple[Revision, ...]]:
    """Every run of neighbouring revisions."""
    return [revisions[a:b] for a, b in itertools.combinations(range(len(revisions) + 1), 2)]


OURS = [*downwards(ALL), (LATEST, HANDSHAKE[1], HANDSHAKE[3]), (R27, HANDSHAKE[0])]
THEIRS = [tuple(each.name for each in run) for run in OURS]


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("ours", OURS, ids=lambda run: f"{run[0].name}..{len(run)}")
def test_every_client_and_every_server_agree_on_the_newest_in_common(ours: tuple[Revision, ...], http: bool) -> None:
    for names, remembered in itertools.product(THEIRS, (None, *ours)):
        driver = Driver(approach(http=http, revisions=ours, remembered=remembered), Server(names))
        for _ in range(12):
            driver.forward()
        opened = driver.end.revision.name if isinstance(driver.end, Opened) else None
        assert opened == negotiated(driver.client, driver.server), (names, remembered)


@pytest.mark.parametrize("http", [False, True])
def test_full_clients_and_servers_speak_the_newest_that_both_know(http: bool) -> None:
    for ours, theirs in itertools.product(range(len(ALL)), repeat=2):
        driver = Driver(approach(http=http, revisions=ALL[ours:]), Server(tuple(each.name for each in ALL[theirs:])))
        for _ in range(12):
            driver.forward()
        assert isinstance(driver.end, Opened)
        assert driver.end.revision == ALL[max(ours, theirs)]


# ---- any order of events

subsets = st.lists(st.sampled_from(ALL), min_size=1, unique=True).map(
    lambda some: tuple(revision for revision in ALL if revision in some)
)
servers = st.builds(
    Server,
    names=subsets.map(lambda some: tuple(revision.name for revision in some)),
    probed=st.sampled_from([-32601, -32602, -32600, 0, None, "silent", "dies", "empty"]),
    shaken=st.sampled_from(["properly"] * 4 + ["silent", "dies", "wrong", "nameless", "errs", "lists"]),
    status=st.sampled_from([200, 400, 404]),
    only_sse=st.booleans(),
)
clients = st.builds(
    lambda http, revisions, demanded, remembered: approach(
        http=http, revisions=revisions, demanded=demanded, remembered=remembered
    ),
    st.booleans(),
    subsets,
    st.none() | st.none() | st.sampled_from(ALL),
    st.none() | st.sampled_from(ALL),
)


class OpeningMachine(RuleBasedStateMachine):
    """Answers come in any order, patience runs out, processes end, and answers leak in that nobody awaits any more."""

    driver: Driver
    calm = True

    @initialize(client=clients, server=servers)
    def a_client_meets_a_server(self, client: Approach, server: Server) -> None:
        self.driver = Driver(client, server)
        self.calm = True

    @precondition(lambda self: self.driver.end is not None)
    @rule(client=clients, server=servers)
    def the_next_client_meets_a_server(self, client: Approach, server: Server) -> None:
        self.teardown()
        self.a_client_meets_a_server(client, server)

    def waits_for(self, *kinds: type[Step]) -> bool:
        return isinstance(self.driver.step, kinds)

    @precondition(lambda self: self.waits_for(Wait) and self.driver.coming)
    @rule(index=st.integers(0, 5))
    def an_answer_arrives(self, index: int) -> None:
        self.calm = self.calm and len(self.driver.coming) == 1
        self.driver.report(self.driver.coming.pop(index % len(self.driver.coming)))

    @precondition(lambda self: self.waits_for(Wait) and self.driver.step.seconds is not None)
    @rule()
    def patience_ends(self) -> None:
        self.calm = False
        self.driver.report(Silent())

    @precondition(lambda self: self.waits_for(Wait))
    @rule()
    def the_server_ends(self) -> None:
        self.calm = False
        self.driver.coming.clear()
        self.driver.report(Gone("killed"))

    @precondition(lambda self: self.waits_for(Wait) and set(self.all_keys()) - self.driver.open)
    @rule(index=st.integers(0, 9), good=st.booleans())
    def an_answer_leaks_in(self, index: int, good: bool) -> None:
        keys = sorted(set(self.all_keys()) - self.driver.open)
        key = keys[index % len(keys)]
        result: JsonObject = {"protocolVersion": HANDSHAKE[0].name, "supportedVersions": [LATEST.name], "leaked": True}
        step, sent = self.driver.step, len(self.driver.sent)
        self.driver.report(Replied(key, result) if good else Refused(key, -32022, data={"supported": [LATEST.name]}))
        assert (self.driver.step, len(self.driver.sent)) == (step, sent), "an answer was counted that nobody awaits"

    @precondition(lambda self: self.waits_for(Restart))
    @rule(ready=st.booleans())
    def the_server_is_started_again(self, ready: bool) -> None:
        self.calm = False
        self.driver.restart(Ready() if ready else Gone("does not start"))

    @precondition(lambda self: self.waits_for(Downgrade))
    @rule()
    def the_old_transport_is_tried(self) -> None:
        self.driver.forward()

    def all_keys(self) -> list[str]:
        return [sent.key for sent in self.driver.sent]

    @invariant()
    def no_stateless_revision_stands_in_initialize(self) -> None:
        offered = [sent.params["protocolVersion"] for sent in self.driver.sent if sent.method == "initialize"]
        assert all(ERAS[name] == "handshake" for name in offered)
        probed = [sent.params["_meta"][VERSION] for sent in self.driver.sent if sent.method == "server/discover"]
        assert all(ERAS[name] == "stateless" for name in probed)

    @invariant()
    def nothing_is_tried_without_end(self) -> None:
        assert len(self.driver.sent) <= 8
        assert self.driver.restarts <= 1
        assert self.driver.downgrades <= 1

    def teardown(self) -> None:
        for _ in range(12):
            if self.driver.step is not None:
                self.calm = self.calm and not (self.waits_for(Wait) and len(self.driver.coming) != 1)
                self.driver.forward()
        assert self.driver.end is not None, "the opening never ends"
        if isinstance(self.driver.end, Opened):
            self.check_opened(self.driver.end)
        else:
            assert self.driver.notified == 0
        if (
            self.calm
            and self.driver.server.shaken == "properly"
            and self.driver.server.probed not in ("dies", "silent")
        ):
            self.check_newest()

    def check_opened(self, opened: Opened) -> None:
        client, server = self.driver.client, self.driver.server
        assert opened.revision in ((client.demanded,) if client.demanded else client.revisions)
        assert opened.revision.name in server.names
        assert "leaked" not in opened.raw
        assert self.driver.notified == (opened.revision.era == "handshake")
        assert not self.driver.open, "an answer is still awaited"

    def check_newest(self) -> None:
        end = self.driver.end
        opened = end.revision.name if isinstance(end, Opened) else None
        if self.driver.client.transport == "http" or not self.driver.server.only_sse:
            assert opened == negotiated(self.driver.client, self.driver.server)


TestOpening = OpeningMachine.TestCase
TestOpening.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
