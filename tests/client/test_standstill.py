"""Time that stands still while a person is asked."""

import math

import anyio

from mcport.client.standstill import Standstill


async def test_a_block_is_left_when_its_time_is_over() -> None:
    with Standstill().within(0.0) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_no_time_runs_between_hold_and_release_and_what_is_left_runs_on() -> None:
    time = Standstill()
    with time.within(1000) as early:
        time.hold()
        time.hold()
        with time.within(500) as late:
            assert early.deadline == late.deadline == math.inf
            time.release()
            assert early.deadline == math.inf
            time.release()
            assert early.deadline - late.deadline > 400
    time.hold()
    time.release()
    assert not early.cancel_called


async def test_a_block_without_a_bound_stays_without_one() -> None:
    time = Standstill()
    with time.within(None) as scope:
        time.hold()
        time.release()
        assert scope.deadline == math.inf
