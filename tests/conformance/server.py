"""The server under test: `examples/everything.py` over HTTP, with nothing but public API.

python -m tests.conformance.server PORT
"""

from __future__ import annotations

import sys

from examples.everything import server
from mcport import InputRequired, Middleware, Next, ToolCall
from mcport.spec.types import CallToolResult, TextContent


class Unasked(Middleware):
    """Takes an answer that comes before its question, as a server that keeps nothing between rounds would.

    With mcport an answer counts for what was asked, by the state that comes back with it. The suite sends one with the
    first call, to see that keys beside it are ignored (`input-required-result-ignore-extra-params`).
    """

    async def on_call_tool(
        self, request: ToolCall, next: Next[ToolCall, CallToolResult | InputRequired]
    ) -> CallToolResult | InputRequired:
        answers = request.params.get("inputResponses", {})
        if request.name == "test_input_required_result_elicitation" and "requestState" not in request.params:
            match answers:
                case {"user_name": {"action": "accept", "content": {"name": str(name)}}}:
                    return CallToolResult(content=[TextContent(text=f"Hello, {name}!")])
        return await next(request)


if __name__ == "__main__":
    server.add_middleware(Unasked())
    server.run("http", port=int(sys.argv[1]))
