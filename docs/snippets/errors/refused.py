import anyio
import httpx

from mcport import Limits, Server

server = Server("weather", limits=Limits(message_bytes=1000))
MESSAGE = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
VERSION = '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
STATELESS = '{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{' + VERSION + "}}}"


async def main() -> None:
    app = httpx.ASGITransport(server.asgi())
    async with httpx.AsyncClient(transport=app, base_url="http://localhost") as http:

        async def show(method: str, path: str = "/mcp", content: str = "", **headers: str) -> None:
            fields = {"content-type": "application/json", **{name.replace("_", "-"): headers[name] for name in headers}}
            answer = await http.request(method, path, content=content, headers=fields)
            print(answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"])

        await show("POST", content=MESSAGE, host="mcp.example.com")
        await show("POST", content=MESSAGE, origin="https://example.com")
        await show("POST", "/mpc", content=MESSAGE)
        await show("PUT", content=MESSAGE)
        await show("GET")
        await show("POST", content=MESSAGE, content_type="text/plain")
        await show("POST", content=MESSAGE, content_encoding="gzip")
        await show("POST", content=MESSAGE + " " * 1000)
        await show("POST", content="{")
        await show("POST", content="{}")
        await show("POST", content=MESSAGE)
        await show("POST", content=MESSAGE, mcp_session_id="gone")
        await show("POST", content=MESSAGE, mcp_protocol_version="2020-02-20")
        await show("POST", content=MESSAGE, mcp_protocol_version="2026-07-28")
        await show("POST", content=STATELESS)
        await show("POST", content=STATELESS, mcp_protocol_version="2026-07-28")
        await show("POST", "/sse")
        await show("POST", "/messages", content=MESSAGE)
        await show("POST", "/messages?session_id=gone", content=MESSAGE)


anyio.run(main)
