"""The story of a change: whoever listens is told, and what it reads then is new."""

from mcport import ResourceUpdated, ToolsChanged
from tests.stories.conftest import Stage
from tests.stories.said import said


async def test_p21_one_notify_reaches_who_listens_and_the_new_is_there(stage: Stage) -> None:
    async with stage.client() as inn, inn.listen(tools=True, uris=["inn://board"]) as changes:
        assert said(await inn.read_resource("inn://board")) == "soup"
        await inn.call_tool("chalk", {"text": "fish"})
        heard = {await anext(changes), await anext(changes)}
        assert heard == {ToolsChanged(), ResourceUpdated("inn://board")}
        assert said(await inn.read_resource("inn://board")) == "fish"
        assert "special" in {tool.name for tool in (await inn.list_tools()).tools}
        assert said(await inn.call_tool("special")) == "fish"
