from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mcport import Server

server = Server("weather")


def home(request: object) -> PlainTextResponse:
    return PlainTextResponse("Weather")


app = Starlette(
    routes=[
        Route("/", home),
        Route("/mcp", server.asgi(allowed_hosts=["mcp.example.com"])),
    ]
)
