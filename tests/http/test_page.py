"""A person opens the endpoint in a browser and sees what it is, and nothing that runs."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from mcport import Server

from .bridge import ask

pytestmark = pytest.mark.anyio

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "content-type": None}


def weather() -> Server:
    server = Server("weather", "1.2", title="Weather & <more>", instructions="Ask <script>alert(1)</script>")

    @server.tool(description="Forecast the <b>days</b>.\nAnd more.")
    async def forecast(city: str) -> str:
        return city

    @server.tool(visible=lambda ctx: True)
    async def secret() -> None:
        """For some."""

    return server


async def shown(path: str, **headers: str | None) -> tuple[str, dict[str, str]]:
    """The page and its headers."""
    async with ask(weather().asgi(), headers={**BROWSER, **headers}, path=path, method="GET") as answer:
        assert answer.status == 200
        return (await answer.body()).decode(), answer.headers


@pytest.mark.parametrize("path", ["/mcp", "/"])
async def test_a_browser_sees_whose_it_is_what_it_has_and_how_to_connect(path: str) -> None:
    text, headers = await shown(path, host="localhost:8000")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Weather &amp; &lt;more&gt;</h1>" in text
    assert "weather 1.2" in text
    assert "<dt>forecast</dt><dd>Forecast the &lt;b&gt;days&lt;/b&gt;.</dd>" in text
    assert "mcport list http://localhost:8000/mcp<" in text
    assert "{&quot;mcpServers&quot;:{&quot;weather&quot;:{&quot;type&quot;:&quot;http&quot;" in text


async def test_nothing_that_a_server_says_can_run_and_nothing_is_loaded() -> None:
    text, headers = await shown("/mcp")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    [style] = re.findall("<style>(.*)</style>", text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert re.findall("(?:src|href)=", text) == []


async def test_tools_that_are_not_for_everybody_are_not_shown() -> None:
    text, _ = await shown("/mcp")
    assert "secret" not in text


async def test_behind_a_proxy_that_encrypts_the_url_is_https() -> None:
    text, _ = await shown("/mcp", **{"x-forwarded-proto": "https"})
    assert "mcport list https://localhost/mcp<" in text


async def test_the_page_is_behind_the_guard_and_for_no_one_but_browsers() -> None:
    app = weather().asgi()
    async with ask(app, headers={**BROWSER, "host": "evil.example"}, method="GET") as answer:
        assert answer.status == 421
    async with ask(app, headers={"accept": "*/*"}, method="GET") as answer:
        assert answer.status == 405
    async with ask(app, headers=BROWSER, path="/other", method="GET") as answer:
        assert answer.status == 404
