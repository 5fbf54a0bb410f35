"""A stream that is chopped and broken at any byte, and taken up again, yields each event once and in order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcport.core.framing import Oversized
from mcport.core.sse import EventDecoder, encode_comment, encode_event

LIMIT = 16


class Stream(RuleBasedStateMachine):
    """A server that keeps a log, a wire that holds bytes back, and a client that resumes by its last event id."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[bytes] = []
        self.retry: float | None = None
        self.wire = b""
        self.seen: list[bytes] = []
        self.decoder = EventDecoder(LIMIT)

    def put(self, index: int) -> None:
        self.wire += encode_event(self.log[index], id=str(index))

    @rule(data=st.binary(max_size=LIMIT + 4).map(lambda data: data.replace(b"\r", b"\n")))
    def the_server_writes_an_event(self, data: bytes) -> None:
        self.log.append(data)
        self.put(len(self.log) - 1)

    @rule()
    def the_server_writes_a_comment(self) -> None:
        self.wire += encode_comment("x" * 40)

    @rule(noise=st.sampled_from([b"event: part\n\n", b"unknown: 1\n", b"retry: soon\n\n", b"\n", b"\r\n", b"\r"]))
    def the_server_writes_what_is_no_event(self, noise: bytes) -> None:
        self.wire += noise

    @rule(size=st.integers(1, 30))
    def some_bytes_arrive(self, size: int) -> None:
        for item in self.decoder.feed(self.wire[:size]):
            oversized = isinstance(item, Oversized)
            data = item.head if isinstance(item, Oversized) else item.data
            assert oversized == (len(data) > LIMIT)
            self.seen.append(data)
        self.wire = self.wire[size:]

    @rule()
    def the_connection_breaks_and_the_client_resumes(self) -> None:
        last = self.decoder.last_event_id
        self.decoder = EventDecoder(LIMIT, last_event_id=last, retry=self.decoder.retry)
        self.wire = b""
        for index in range(int(last) + 1 if last else 0, len(self.log)):
            self.put(index)

    @invariant()
    def each_event_was_seen_once_and_in_order(self) -> None:
        assert self.seen == self.log[: len(self.seen)]

    def teardown(self) -> None:
        self.some_bytes_arrive(len(self.wire))
        assert self.seen == self.log


TestStream = Stream.TestCase
TestStream.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
