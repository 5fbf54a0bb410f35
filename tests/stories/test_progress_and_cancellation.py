"""The stories of progress and of cancellation: reports come in order, and a withdrawn call ends its handler."""

import anyio
import pytest

from mcport import Cancelled
from tests.stories.conftest import Stage
from tests.stories.said import said


async def test_progress_arrives_in_order_before_the_result(stage: Stage) -> None:
    told: list[tuple[float, float | None, str | None]] = []
    async with stage.client() as inn:
        result = await inn.call_tool("cook", {"steps": 3}, progress=lambda *report: told.append(report))
    words = ["step 1", "step 2", "step 3"] if stage.revision.has_progress_message else [None] * 3
    assert told == [(1, 3, words[0]), (2, 3, words[1]), (3, 3, words[2])]
    assert said(result) == "ready"


async def test_p23_a_cancelled_call_ends_its_handler_and_nothing_else(stage: Stage) -> None:
    begun = anyio.Event()
    async with stage.client() as inn:
        call = inn.start_tool("simmer", progress=lambda *report: begun.set())
        await begun.wait()
        call.cancel()
        with pytest.raises(Cancelled):
            await call
        assert said(await inn.call_tool("heard")) == '["taken off"]'
