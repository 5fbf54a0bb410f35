"""The story of a tool: it is listed, called with good and bad arguments, and answers what its revision can carry."""

import pytest

from mcport import RemoteError
from tests.stories.conftest import Stage
from tests.stories.said import said


async def test_tools_are_listed_called_and_answer_values(stage: Stage) -> None:
    async with stage.client() as inn:
        tools = {tool.name: tool for tool in (await inn.list_tools()).tools}
        assert tools["order"].input_schema["required"] == ["dish"]
        assert (tools["order"].output_schema is not None) is stage.revision.has_structured_output

        result = await inn.call_tool("order", {"dish": "soup", "portions": 2})
        assert said(result) == '{"dish":"soup","portions":2}'
        expected = {"dish": "soup", "portions": 2} if stage.revision.has_structured_output else None
        assert result.structured_content == expected

        assert said(await inn.call_tool("count", {"words": ["a", "b"]})) == "2"
        assert said(await inn.call_tool("say", {"text": "héllo\u2028"})) == "héllo\u2028"


async def test_p24_bad_arguments_are_answered_in_one_plain_line(stage: Stage) -> None:
    async with stage.client() as inn:
        for arguments, line in BAD.items():
            if stage.revision.tool_argument_errors_are_results:
                result = await inn.call_tool("order", dict(arguments))
                assert (result.is_error, said(result)) == (True, line)
            else:
                with pytest.raises(RemoteError) as caught:
                    await inn.call_tool("order", dict(arguments))
                assert (caught.value.code, caught.value.message) == (-32602, line)


BAD = {
    (): "order: argument 'dish' is missing",
    (("dish", "soup"), ("portions", "x")): "order: argument 'portions' must be an integer, got 'x'",
    (("dish", "soup"), ("salt", 1)): "order: unknown argument 'salt' (it takes dish, portions)",
}
