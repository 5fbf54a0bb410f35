"""A stream of lines, long ones and blank ones among them, arrives in pieces of any size: each line once, in order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mcport.core.framing import EDGE, Framer, Line, Oversized

PIECES = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b" "))


class Lines(RuleBasedStateMachine):
    """A writer, a wire that holds bytes back, and a framer."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = b""
        self.limit = 0
        self.written: list[Line] = []
        self.seen: list[Line] = []
        self.unfinished = b""

    @initialize(limit=st.sampled_from([1, 5, 20, 3 * EDGE]))
    def a_framer_with_a_limit(self, limit: int) -> None:
        self.limit = limit
        self.framer = Framer(limit)

    @rule(data=PIECES, times=st.sampled_from([1, 1, 1, 4, EDGE]))
    def the_writer_writes(self, data: bytes, times: int) -> None:
        self.wire += data * times
        self.unfinished += data * times

    @rule(newline=st.sampled_from([b"\n", b"\r\n"]))
    def the_writer_ends_a_line(self, newline: bytes) -> None:
        self.wire += newline
        line = self.unfinished + newline[:-1]
        self.unfinished = b""
        if line.strip(b"\r") or len(line) > 1:
            self.written.append(self.bounded(line))

    def bounded(self, line: bytes) -> Line:
        return line if len(line) <= self.limit else Oversized(len(line), line[:EDGE], line[-EDGE:])

    @rule(size=st.integers(0, 40) | st.sampled_from([EDGE, 5 * EDGE]))
    def some_bytes_arrive(self, size: int) -> None:
        self.seen += self.framer.feed(self.wire[:size])
        self.wire = self.wire[size:]

    @rule()
    def the_stream_ends_and_another_begins(self) -> None:
        self.some_bytes_arrive(len(self.wire))
        self.seen += self.framer.end()
        if self.unfinished and self.unfinished != b"\r":
            self.written.append(self.bounded(self.unfinished))
        self.unfinished = b""
        assert len(self.seen) == len(self.written)
        self.each_line_was_seen_once_and_in_order()

    @invariant()
    def each_line_was_seen_once_and_in_order(self) -> None:
        right = self.seen == self.written[: len(self.seen)]
        assert right, "lines differ"  # without their bytes, which may be many

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        if self.limit:
            kept = [*self.framer._parts, *self.framer._crumbs, self.framer._head, self.framer._tail]
            assert sum(map(len, kept)) <= max(self.limit, 2 * EDGE)

    def teardown(self) -> None:
        if self.limit:
            self.the_stream_ends_and_another_begins()


TestLines = Lines.TestCase
TestLines.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
