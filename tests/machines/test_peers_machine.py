"""Two peers, two byte queues, five revisions: whatever crosses, breaks or comes twice, every call has one outcome.

Each direction keeps its order and is chopped anywhere; the two directions overtake each other at will. What stands
between a peer and its queue is what a session does, and no more. Lines that no honest peer would send are put into
the queues as well: the peers must outlive them, and their books be empty in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mcport.core.dialects.handshake import take_apart
from mcport.core.events import Answered, Asked, Call, Event, Progressed, Stray, Told, Withdrawn
from mcport.core.framing import Framer, Oversized
from mcport.core.jsonrpc import (
    Batch,
    ErrorResponse,
    Id,
    Message,
    Notification,
    Request,
    Response,
    decode,
    encode,
)
from mcport.core.oversized import read_oversized
from mcport.core.peer import CANCELLED, Peer, progress_of
from mcport.spec.revisions import LATEST, REVISIONS, Revision

LIMIT = 20_000


class Side:
    """A peer with what a session would hold for it, and a model of what must be true of it."""

    def __init__(self, name: str, may_ask: bool, batches: bool) -> None:
        self.name = name
        self.may_ask = may_ask
        self.batches = batches
        self.peer = Peer()
        self.framer = Framer(LIMIT)
        self.outbox: list[Message] = []
        self.wire = b""
        self.calls: list[Call] = []
        self.tokens: dict[int, object] = {}
        self.outcomes: dict[Id, list[str]] = {}
        self.asked: list[Asked] = []
        self.closed: list[Asked] = []

    def open_calls(self) -> list[Call]:
        return [call for call in self.calls if not self.outcomes[call.id]]

    def send(self, message: Message | None) -> None:
        if message is not None:
            self.outbox.append(message)

    def post(self, as_batch: bool) -> None:
        """Put what waits into the queue, each on its line, or all on one where that is possible."""
        lines = [encode(message) for message in self.outbox]
        opening = any(isinstance(message, Request) and message.method == "initialize" for message in self.outbox)
        if as_batch and self.batches and lines and not opening:
            lines = [b"[" + b",".join(lines) + b"]"]
        self.wire += b"".join(line + b"\n" for line in lines)
        self.outbox.clear()

    # ---- what a session does with what arrives

    def take(self, data: bytes) -> None:
        for line in self.framer.feed(data):
            message = read_oversized(line, LIMIT) if isinstance(line, Oversized) else decode(line)
            for member in take_apart(message, self.batches) if isinstance(message, Batch) else [message]:
                names = getattr(member, "answers", None)
                waits = names is not None and names in [call.id for call in self.open_calls()]
                event = self.peer.receive(member)
                assert not waits or isinstance(event, Answered)
                self.learn(event)

    def learn(self, event: Event) -> None:
        if isinstance(event, Asked):
            assert self.peer.serves
            assert event not in self.asked
            self.asked.append(event)
        elif isinstance(event, Answered):
            self.check_answer(event)
            self.outcomes[event.call.id].append(type(event.answer).__name__)
        elif isinstance(event, Progressed):
            assert event.call.id in self.tokens
            assert event.message in (None, f"of {event.call.id}")
            assert not self.outcomes[event.call.id]
        elif isinstance(event, Withdrawn):
            assert event.asked.forgiving
            self.close(event.asked)
        elif isinstance(event, Told) and event.method == CANCELLED:
            assert event.params.get("requestId") not in [asked.id for asked in self.asked]
        elif isinstance(event, Stray) and event.reply is not None:
            assert self.peer.serves
            self.send(event.reply)

    def check_answer(self, event: Answered) -> None:
        if isinstance(event.answer, Response):
            assert event.answer.result == {"for": event.call.id}

    def close(self, asked: Asked) -> None:
        self.asked.remove(asked)
        self.closed.append(asked)


BROKEN = [
    b"\xff\xfe",
    b"nonsense",
    b"{",
    b"[]",
    b"[1,[]]",
    b"null",
    b'{"jsonrpc":"2.0"}',
    b'{"jsonrpc":"2.0","id":"odd"}',
    b'{"jsonrpc":"2.0","id":"odd","result":{"x":NaN}}',
    b'{"jsonrpc":"2.0","id":"odd","result":{},"error":{}}',
    b'{"jsonrpc":"2.0","id":true,"method":"m"}',
    b'{"jsonrpc":"2.0","id":null,"result":{}}',
    b'{"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}}',
    b'{"jsonrpc":"2.0","method":"n","params":[]}',
    b'{"jsonrpc":"2.0","id":"odd","method":"m","params":{"_meta":{"progressToken":[]}}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"none","progress":1}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":"1"}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":1}}',
    b'{"jsonrpc":"2.0","id":"odd","result":{"x":"' + b"x" * LIMIT + b'"}}',
    b'{"jsonrpc":"2.0","method":"n","params":{"x":"' + b"x" * LIMIT + b'"}}',
    b"x" * 3 * LIMIT,
    b'[{"jsonrpc":"2.0","id":"odd","method":"initialize"},{"jsonrpc":"2.0","id":"even","method":"ping"}]',
]
FORBIDDEN = b'{"jsonrpc":"2.0","id":"odd","method":"ping"}'

BROKEN_ANSWERS = [
    '{"jsonrpc":"2.0","id":ID,"result":{"x":NaN}}',
    '{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1,"message":"?"}}',
    '{"jsonrpc":"2.0","id":ID,"error":{"code":"1"}}',
    '{"jsonrpc":"2.0","id":ID}',
    '{"result":{"half":"\\ud800"},"jsonrpc":"2.0","id":ID}',
    '{"result":{"x":"' + "x" * LIMIT + '"},"jsonrpc":"2.0","id":ID}',
]


class Peers(RuleBasedStateMachine):
    """A client and a server of one revision, and the wire between them."""

    def __init__(self, revision: Revision = LATEST) -> None:
        super().__init__()
        batches = revision.allows_batches
        self.client = Side("client", may_ask=True, batches=batches)
        self.server = Side("server", may_ask=revision.era == "handshake", batches=batches)
        self.client.peer.serves = self.server.may_ask
        self.sides = [self.client, self.server]

    def other(self, side: Side) -> Side:
        return self.server if side is self.client else self.client

    def pick(self, data: st.DataObject, things: Iterable[Any]) -> Any:
        return data.draw(st.sampled_from([*things]))

    def asking(self) -> list[Side]:
        return [side for side in self.sides if side.may_ask]

    # ---- what honest peers do

    @rule(
        data=st.data(),
        method=st.sampled_from(["tools/call", "ping", "initialize"]),
        progress=st.sampled_from([True, True, False]),
    )
    def a_side_asks(self, data: st.DataObject, method: str, progress: bool) -> None:
        side = self.pick(data, self.asking())
        call, request = side.peer.request(method, {"by": side.name}, progress=progress)
        assert call.id not in side.outcomes
        side.calls.append(call)
        side.outcomes[call.id] = []
        if progress:
            side.tokens[call.id] = request.params["_meta"]["progressToken"]
        side.send(request)

    @rule(data=st.data(), well=st.booleans())
    @precondition(lambda self: any(side.asked for side in self.sides))
    def a_side_answers(self, data: st.DataObject, well: bool) -> None:
        side = self.pick(data, (each for each in self.sides if each.asked))
        asked = self.pick(data, side.asked)
        self.answer(side, asked, well)

    def answer(self, side: Side, asked: Asked, well: bool = True) -> None:
        message = side.peer.answer(asked, {"for": asked.id}) if well else side.peer.refuse(asked, -1, "no")
        assert message is not None
        assert (message.id, type(message.id)) == (asked.id, type(asked.id))
        side.close(asked)
        side.send(message)

    @rule(data=st.data(), value=st.integers(0, 3))
    @precondition(lambda self: any(side.asked for side in self.sides))
    def a_side_reports_progress(self, data: st.DataObject, value: int) -> None:
        side = self.pick(data, (each for each in self.sides if each.asked))
        for asked in side.asked:
            before = asked.progress
            notification = progress_of(asked, value, 9, f"of {asked.id}")
            rises = before is None or value > before
            assert (notification is not None) == (asked.token is not None and rises)
            assert progress_of(asked, value, 9) is None
            side.send(notification)

    @rule(data=st.data())
    @precondition(lambda self: any(side.calls for side in self.sides))
    def a_side_gives_up(self, data: st.DataObject) -> None:
        side = self.pick(data, (each for each in self.sides if each.calls))
        call = self.pick(data, side.calls)
        notification = side.peer.withdraw(call, "enough")
        if side.outcomes[call.id] or call.method == "initialize":
            assert notification is None
        else:
            assert notification == Notification(CANCELLED, {"requestId": call.id, "reason": "enough"})
        if not side.outcomes[call.id]:
            side.outcomes[call.id].append("withdrawn")
        side.send(notification)

    @rule(data=st.data())
    def a_side_tells(self, data: st.DataObject) -> None:
        self.pick(data, self.sides).send(Notification("notifications/message", {"data": "\n"}))

    # ---- the wire

    @rule(data=st.data(), as_batch=st.booleans())
    def a_side_writes(self, data: st.DataObject, as_batch: bool) -> None:
        self.pick(data, self.sides).post(as_batch)

    @rule(data=st.data(), size=st.integers(1, 200))
    def some_bytes_arrive(self, data: st.DataObject, size: int) -> None:
        self.move(self.pick(data, self.sides), size)

    @rule(data=st.data(), as_batch=st.booleans())
    def all_of_a_side_arrives(self, data: st.DataObject, as_batch: bool) -> None:
        side = self.pick(data, self.sides)
        side.post(as_batch)
        self.move(side, len(side.wire))

    def move(self, side: Side, size: int) -> None:
        data, side.wire = side.wire[:size], side.wire[size:]
        self.other(side).take(data)

    # ---- what honest peers do not do

    @rule(data=st.data())
    def a_broken_line_is_on_the_wire(self, data: st.DataObject) -> None:
        side = self.pick(data, self.sides)
        side.wire += self.pick(data, BROKEN if side.may_ask else [*BROKEN, FORBIDDEN]) + b"\n"

    @rule(data=st.data(), text=st.sampled_from(BROKEN_ANSWERS))
    @precondition(lambda self: any(side.open_calls() for side in self.sides))
    def a_broken_answer_is_on_the_wire(self, data: st.DataObject, text: str) -> None:
        side = self.pick(data, (each for each in self.sides if each.open_calls()))
        call = self.pick(data, side.open_calls())
        self.other(side).wire += text.replace("ID", str(call.id)).encode() + b"\n"

    @rule(data=st.data(), method=st.sampled_from(["ping", "tools/call"]))
    @precondition(lambda self: any(side.calls for side in self.sides))
    def a_request_is_on_the_wire_twice(self, data: st.DataObject, method: str) -> None:
        side = self.pick(data, (each for each in self.sides if each.calls))
        side.wire += encode(Request(self.pick(data, side.calls).id, method)) + b"\n"

    @rule(data=st.data())
    @precondition(lambda self: any(side.calls for side in self.sides))
    def an_answer_is_on_the_wire_twice(self, data: st.DataObject) -> None:
        side = self.pick(data, (each for each in self.sides if each.calls))
        call = self.pick(data, side.calls)
        if side.outcomes[call.id]:
            self.other(side).wire += encode(Response(call.id, {"for": call.id})) + b"\n"

    # ---- what is always true

    @invariant()
    def the_books_are_what_the_model_says(self) -> None:
        for side in self.sides:
            assert side.peer.calls == len(side.open_calls())
            assert [*side.peer.asked.values()] == side.asked
            assert all(asked.open for asked in side.asked)
            assert not any(asked.open for asked in side.closed)

    @invariant()
    def nothing_can_be_sent_for_a_closed_request(self) -> None:
        for side in self.sides:
            for asked in side.closed[-3:]:
                assert progress_of(asked, 10**9) is None
                assert not asked.forgiving or side.peer.answer(asked, {}) is None
                assert not asked.forgiving or side.peer.refuse(asked, -1, "no") is None

    @invariant()
    def every_call_has_at_most_one_outcome(self) -> None:
        for side in self.sides:
            assert all(len(outcomes) <= 1 for outcomes in side.outcomes.values())

    @invariant()
    def no_two_calls_share_an_id_or_a_token(self) -> None:
        for side in self.sides:
            assert len({call.id for call in side.calls}) == len(side.calls)
            assert len(set(side.tokens.values())) == len(side.tokens)

    @invariant()
    def only_lines_of_messages_are_written(self) -> None:
        for message in (message for side in self.sides for message in side.outbox):
            assert decode(encode(message)) == message
            assert self.client.peer.serves or message not in self.client.outbox or not _is_answer(message)

    def settle(self) -> None:
        """Let everything arrive and answer whatever is asked, until nothing is left to be done."""
        for _ in range(20):
            for side in self.sides:
                for asked in [*side.asked]:
                    self.answer(side, asked)
                side.post(as_batch=False)
                self.move(side, len(side.wire))

    def teardown(self) -> None:
        self.settle()
        for side in self.sides:
            assert (side.peer.calls, side.peer.asked, side.outbox, side.wire) == (0, {}, [], b"")
            assert all(len(outcomes) == 1 for outcomes in side.outcomes.values())
        for side in self.asking():
            call, request = side.peer.request("ping")
            side.calls.append(call)
            side.outcomes[call.id] = []
            side.send(request)
            self.settle()
            assert side.outcomes[call.id] == ["Response"]


def _is_answer(message: Message) -> bool:
    return isinstance(message, Response | ErrorResponse)


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=attrgetter("name"))
@pytest.mark.requirement("cancel.races", "cancel.only-own-in-flight")
@pytest.mark.requirement("progress.token-unique", "progress.only-active-tokens", "progress.stops-after-completion")
def test_every_call_has_one_outcome_whatever_crosses_and_breaks(revision: Revision) -> None:
    def peers() -> Peers:
        return Peers(revision)

    run_state_machine_as_test(peers, settings=settings(max_examples=40, stateful_step_count=40, deadline=None))  # type: ignore[arg-type]
