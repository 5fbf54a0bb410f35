from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mcport import BearerAuth, Server

auth = BearerAuth("https://example.com/api/mcp", issuer="https://login.example.com")
server = Server("notes", auth=auth)

app = Starlette(
    routes=[
        Route("/", lambda request: PlainTextResponse("My page.")),
        Mount("/", server.asgi(path="/api/mcp", allowed_hosts=["example.com"])),
    ]
)
