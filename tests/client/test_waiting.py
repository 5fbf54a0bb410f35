"""The clock of all calls: one timer, rung no later than the first call is due, and never once a call."""

from collections.abc import Callable

from mcport.core.events import Call, Progressed
from mcport.core.jsonrpc import Response
from mcport.session.waiting import Clock, Lost, Overdue, Pending


class Timer:
    """A timer that a test rings."""

    def __init__(self, when: float, ring: Callable[[], None]) -> None:
        self.when = when
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakePromise:
    """A promise that remembers."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def done(self) -> bool:
        return bool(self.values)

    def set_result(self, value: object) -> None:
        assert not self.values
        self.values.append(value)


class FakeLoop:
    """A loop whose time a test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def promise(self) -> FakePromise:
        return FakePromise()

    @property
    def armed(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, seconds: float) -> None:
        """Let time pass, ringing what is due on the way."""
        end = self.now + seconds
        while due := [timer for timer in self.armed if timer.when <= end]:
            timer = min(due, key=lambda each: each.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            timer.ring()
        self.now = end


def pending(loop: FakeLoop, clock: Clock, seconds: float | None = None, most: float | None = None) -> Pending:
    return Pending(loop, clock, seconds=seconds, most=most)  # type: ignore[arg-type]


def outcome(call: Pending) -> list[object]:
    values: list[object] = call.promise.values  # type: ignore[attr-defined]
    return values


def reported(value: float) -> Progressed:
    return Progressed(Call(0, "tools/call"), value, None, None)


def made() -> tuple[FakeLoop, Clock]:
    loop = FakeLoop()
    return loop, Clock(loop)  # type: ignore[arg-type]


def test_a_thousand_calls_in_a_row_arm_one_timer() -> None:
    loop, clock = made()
    for _ in range(1000):
        call = pending(loop, clock, seconds=300)
        loop.now += 0.001
        call.settle(Response(0, {}))
    assert len(loop.timers) == 1


def test_a_silent_call_is_overdue_when_its_time_is_up_and_not_before() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=2)
    loop.advance(1.9)
    assert outcome(call) == []
    loop.advance(0.2)
    assert outcome(call) == [Overdue("no answer within 2 s")]
    assert loop.armed == []


def test_each_of_several_calls_has_its_own_time() -> None:
    loop, clock = made()
    slow, quick, endless = pending(loop, clock, 5), pending(loop, clock, 1), pending(loop, clock)
    loop.advance(1.1)
    assert (outcome(slow), outcome(quick)) == ([], [Overdue("no answer within 1 s")])
    loop.advance(4)
    assert outcome(slow) == [Overdue("no answer within 5 s")]
    loop.advance(10**6)
    assert outcome(endless) == []


def test_progress_winds_the_silence_up_again_but_not_the_time_in_all() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=2, most=5)
    for number in range(4):
        loop.advance(1.2)
        call.progressed(reported(number))
    assert outcome(call) == []
    loop.advance(0.3)
    assert outcome(call) == [Overdue("not done within 5 s")]


def test_the_time_in_all_holds_without_a_bound_on_silence() -> None:
    loop, clock = made()
    call = pending(loop, clock, most=5)
    loop.advance(3)
    call.progressed(reported(1))
    loop.advance(2.1)
    assert outcome(call) == [Overdue("not done within 5 s")]


def test_an_answer_in_time_is_the_answer_and_nothing_rings_for_it() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=1)
    call.settle(Response(0, {"x": 1}))
    call.settle(Response(0, {"x": 2}))
    loop.advance(2)
    assert outcome(call) == [Response(0, {"x": 1})]


def test_a_lost_connection_is_an_outcome() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=1)
    call.lose("gone")
    assert outcome(call) == [Lost("gone")]


def test_a_stopped_clock_rings_no_more() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=1)
    clock.stop()
    assert loop.armed == []
    loop.advance(2)
    assert outcome(call) == []


def test_a_loop_that_rings_a_little_early_does_not_ring_twice() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=1)
    loop.now = 100.9997
    loop.timers.pop().ring()
    assert outcome(call) == [Overdue("no answer within 1 s")]


def test_a_failing_progress_callback_does_not_fail_the_call() -> None:
    loop, clock = made()
    seen: list[float] = []

    def hook(event: Progressed) -> None:
        seen.append(event.progress)
        raise RuntimeError("mine")

    call = Pending(loop, clock, seconds=1, on_progress=hook)  # type: ignore[arg-type]
    call.progressed(reported(1))
    call.progressed(reported(2))
    call.settle(Response(0, {}))
    assert (seen, outcome(call)) == ([1, 2], [Response(0, {})])


# ---- while somebody thinks


def test_silence_stands_still_while_the_clock_is_held_and_goes_on_where_it_stood() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=10)
    loop.advance(6)
    clock.hold()
    loop.advance(1000)
    assert outcome(call) == []
    clock.release()
    loop.advance(3.9)
    assert outcome(call) == []
    loop.advance(0.2)
    assert outcome(call) == [Overdue("no answer within 10 s")]


def test_the_time_in_all_goes_on_while_the_clock_is_held() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=10, most=50)
    clock.hold()
    loop.advance(49)
    assert outcome(call) == []
    loop.advance(1.1)
    assert outcome(call) == [Overdue("not done within 50 s")]
    clock.release()


def test_the_clock_is_held_until_everybody_who_held_it_has_let_go() -> None:
    loop, clock = made()
    clock.hold()
    clock.hold()
    call = pending(loop, clock, seconds=10)
    clock.release()
    loop.advance(100)
    assert outcome(call) == []
    clock.release()
    loop.advance(10.1)
    assert outcome(call) == [Overdue("no answer within 10 s")]


def test_progress_while_the_clock_is_held_winds_the_silence_up_for_later() -> None:
    loop, clock = made()
    call = pending(loop, clock, seconds=10)
    loop.advance(9)
    clock.hold()
    call.progressed(reported(1))
    clock.release()
    loop.advance(9)
    assert outcome(call) == []
    loop.advance(1.1)
    assert outcome(call) == [Overdue("no answer within 10 s")]
