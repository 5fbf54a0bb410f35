"""The story of a question: one tool body asks, in whichever way its revision has, and nothing happens twice."""

from typing import Any

import pytest

from mcport import TooManyRounds
from mcport.spec.types import ElicitRequestFormParams
from tests.stories.conftest import Stage
from tests.stories.said import said


def guest(question: ElicitRequestFormParams) -> dict[str, Any]:
    return {"name": "Ada"} if "name" in question.requested_schema.properties else {"value": True}


def model(params: Any) -> str:
    return "stew"


async def test_p20_a_tool_that_asks_twice_has_one_effect(stage: Stage) -> None:
    async with stage.client(elicit=guest) as inn:
        result = await inn.call_tool("reserve")
        if not stage.revision.elicits:
            assert result.is_error
            assert "elicitation" in said(result)
            return
        assert (bool(result.is_error), said(result)) == (False, "table 1: True")
        assert said(await inn.call_tool("heard")) == '["reserved for Ada"]'


async def test_p20_model_and_roots_are_asked_in_tools_prompts_and_resources(stage: Stage) -> None:
    async with stage.client(sample=model, roots=["file:///cellar"]) as inn:
        assert said(await inn.call_tool("recommend")) == "stew from file:///cellar"
        assert said(await inn.get_prompt("toast")) == "A toast to stew"
        assert said(await inn.read_resource("inn://cellar/top")) == "top: file:///cellar"


async def test_a_client_that_cannot_be_asked_gets_a_clear_refusal(stage: Stage) -> None:
    async with stage.client() as inn:
        if stage.revision.era == "handshake":
            result = await inn.call_tool("recommend")
            assert result.is_error
            assert "sampling" in said(result)
        else:
            with pytest.raises(Exception, match="sampling") as caught:
                await inn.call_tool("recommend")
            assert caught.value.code == -32021  # type: ignore[attr-defined]


async def test_a_tool_that_asks_forever_is_stopped_by_either_side(stage: Stage) -> None:
    if not stage.revision.asks_by_returning:
        pytest.skip("only rounds can be counted; in the handshake era each question is a request of its own")
    async with stage.client(elicit=guest, rounds=3) as inn:
        with pytest.raises(TooManyRounds):
            await inn.call_tool("pester")
