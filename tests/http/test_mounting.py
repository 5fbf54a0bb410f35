"""An application below another one, without any wiring: Starlette's Mount and Route, and its test client."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import Any, Literal

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mcport import Client, Server
from mcport.transports.http.server.asgi import App

from .bridge import USUAL, ask, stateless
from .raw_session import initialize

with warnings.catch_warnings():
    # Newer versions want another httpx, and take this one.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

LOCAL = "http://localhost"


def weather() -> Server:
    server = Server("weather")

    @server.tool
    async def forecast(city: str) -> str:
        """Forecast."""
        return f"Sunny in {city}"

    return server


def call() -> dict[str, Any]:
    made = stateless("tools/call", name="forecast", arguments={"city": "Lyon"})
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json", **made["headers"]}
    return {"content": made["body"], "headers": headers}


def mounted() -> dict[str, App]:
    """Ways to have the endpoint at /mcp, by name."""
    return {
        "mount": Starlette(routes=[Mount("/mcp", weather().asgi())]),
        "mount at the root": Starlette(
            routes=[Route("/", lambda request: PlainTextResponse("home")), Mount("/", weather().asgi())]
        ),
        "route": Starlette(routes=[Route("/mcp", weather().asgi())]),
        "nested": Starlette(routes=[Mount("/api", Starlette(routes=[Route("/mcp", weather().asgi(path="/mcp"))]))]),
    }


@pytest.mark.parametrize("way", ["mount at the root", "route"])
def test_p16_it_answers_at_its_path_without_a_redirect(way: str) -> None:
    client = TestClient(mounted()[way], base_url=LOCAL, follow_redirects=False)
    answer = client.post("/mcp", **call())
    assert answer.status_code == 200
    assert answer.json()["result"]["content"][0]["text"] == "Sunny in Lyon"


def test_p16_a_mount_answers_below_its_path_and_starlette_leads_there() -> None:
    client = TestClient(mounted()["mount"], base_url=LOCAL, follow_redirects=False)
    assert client.post("/mcp/", **call()).status_code == 200
    led = client.post("/mcp", **call())
    assert (led.status_code, led.headers["location"]) == (307, f"{LOCAL}/mcp/")


def test_a_route_below_a_mount_answers() -> None:
    client = TestClient(mounted()["nested"], base_url=LOCAL)
    assert client.post("/api/mcp", **call()).status_code == 200


def test_every_request_may_come_in_a_loop_of_its_own() -> None:
    client = TestClient(mounted()["route"], base_url=LOCAL)
    for _ in range(3):
        assert client.post("/mcp", **call()).status_code == 200


def below_fastapi() -> App:
    """The endpoint mounted at /mcp below a FastAPI application that knows nothing of it."""
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    app = fastapi.FastAPI()

    @app.get("/")  # type: ignore[untyped-decorator]
    def home() -> dict[str, str]:
        return {"at": "home"}

    app.mount("/mcp", weather().asgi())
    mounted: App = app
    return mounted


@pytest.mark.parametrize("enters", [True, False], ids=["with a lifespan", "without"])
def test_p16_fastapi_needs_no_wiring_and_its_test_client_may_be_made_again_and_again(enters: bool) -> None:
    app = below_fastapi()
    for _ in range(3):
        client = TestClient(app, base_url=LOCAL)
        with client if enters else nullcontext():
            assert client.get("/").json() == {"at": "home"}
            assert client.post("/mcp", **call()).json()["result"]["content"][0]["text"] == "Sunny in Lyon"
            opened = client.post("/mcp", content=initialize(), headers=USUAL)
            assert opened.status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["fastapi", "mount", "mount at the root", "route"])
async def test_p16_our_client_reaches_it_wherever_it_is_mounted(way: str) -> None:
    app = below_fastapi() if way == "fastapi" else mounted()[way]
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http,
        Client(f"{LOCAL}/mcp", http_client=http) as client,
    ):
        assert (await client.call_tool("forecast", {"city": "Lyon"})).text() == "Sunny in Lyon"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_lifespan_of_a_server_is_wired_where_it_can_be_and_not_needed(backend: Literal["asyncio", "trio"]) -> None:
    with TestClient(weather().asgi(), base_url=LOCAL, backend=backend) as client:
        assert client.post("/mcp", **call()).status_code == 200
        assert client.get("/", headers={"accept": "text/html"}).text.count(f"{LOCAL}/mcp") == 2


@pytest.mark.anyio
async def test_p15_a_refused_host_is_named_with_the_line_to_add() -> None:
    app = weather().asgi()
    async with ask(app, **{**stateless("server/discover"), "headers": {"host": "testserver"}}) as answer:
        assert answer.status == 421
        line = (await answer.json())["error"]["message"]
    assert line == "Host 'testserver' is not served here; if it should be: allowed_hosts=['testserver']"
