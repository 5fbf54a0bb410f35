"""The story of an error: what its author meant for the model arrives, what nobody meant does not."""

import pytest

from mcport import RemoteError
from tests.stories.conftest import Stage
from tests.stories.said import said


async def test_p19_a_tool_error_arrives_as_written_and_an_unexpected_one_without_its_secrets(stage: Stage) -> None:
    async with stage.client() as inn:
        burnt = await inn.call_tool("burn")
        assert (burnt.is_error, said(burnt)) == (True, "The soup is burnt.")
        dropped = await inn.call_tool("drop")
        assert dropped.is_error
        assert "failed unexpectedly (error " in said(dropped)
        assert "secret" not in said(dropped)


async def test_p24_wrong_names_are_answered_with_the_right_one(stage: Stage) -> None:
    async with stage.client() as inn:
        with pytest.raises(RemoteError) as tool:
            await inn.call_tool("ordr")
        assert (tool.value.code, tool.value.message) == (
            -32602,
            "Unknown tool 'ordr' on server 'inn'. Did you mean 'order'?",
        )
        with pytest.raises(RemoteError) as resource:
            await inn.read_resource("inn://cellar/none")
        assert resource.value.code == stage.revision.resource_not_found_code
        assert resource.value.data == {"uri": "inn://cellar/none"}
