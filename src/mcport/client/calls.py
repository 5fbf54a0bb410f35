from __future__ import annotations
from typing import TYPE_CHECKING, Any
class Calls:
    async def _call(self, method: str, params: Any, result: Any, **options: Any) -> Any: ...
    async def call_tool(self, name: str, arguments: Any=None, *, timeout=None, progress=None):
        from ..spec.types import CallToolResult
        return await self._call("tools/call", {"name":name,"arguments":arguments}, CallToolResult, timeout=timeout, progress=progress)
    async def list_tools(self, cursor=None, *, timeout=None):
        from ..spec.types import ListToolsResult
        return await self._call("tools/list", {"cursor":cursor}, ListToolsResult, timeout=timeout)
    async def list_resources(self, cursor=None, *, timeout=None):
        from ..spec.types import ListResourcesResult
        return await self._call("resources/list", {"cursor":cursor}, ListResourcesResult, timeout=timeout)
    async def list_prompts(self, cursor=None, *, timeout=None):
        from ..spec.types import ListPromptsResult
        return await self._call("prompts/list", {"cursor":cursor}, ListPromptsResult, timeout=timeout)
    async def read_resource(self, uri, *, timeout=None):
        from ..spec.types import ReadResourceResult
        return await self._call("resources/read", {"uri":uri}, ReadResourceResult, timeout=timeout)
    async def get_prompt(self, name, arguments=None, *, timeout=None):
        from ..spec.types import GetPromptResult
        return await self._call("prompts/get", {"name":name,"arguments":arguments}, GetPromptResult, timeout=timeout)
