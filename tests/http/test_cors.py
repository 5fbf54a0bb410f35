"""Pages of other origins: only those that were named, and only what they bring themselves."""

from __future__ import annotations

import pytest

from mcport import Server

from .bridge import ask, stateless

pytestmark = pytest.mark.anyio

PAGE = "https://app.example.com"
PREFLIGHT: dict[str, str | None] = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, mcp-protocol-version, mcp-param-city",
    "content-type": None,
}


async def test_a_browser_is_told_that_a_named_origin_may_ask_and_what_it_may_read() -> None:
    app = Server("s").asgi(allowed_origins=[PAGE])
    async with ask(app, method="OPTIONS", headers=PREFLIGHT) as answer:
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-allow-methods"] == "GET, POST, DELETE"
        assert answer.headers["access-control-allow-headers"] == PREFLIGHT["access-control-request-headers"]
        assert answer.headers["vary"] == "origin"
    call = stateless("server/discover")
    call["headers"]["origin"] = PAGE
    async with ask(app, **call) as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert {"mcp-session-id", "mcp-protocol-version"} <= {
            *answer.headers["access-control-expose-headers"].split(", ")
        }
        assert "access-control-allow-credentials" not in answer.headers
    await app.aclose()


async def test_a_named_origin_may_read_why_it_was_refused() -> None:
    app = Server("s").asgi(allowed_origins=[PAGE])
    async with ask(app, headers={"origin": PAGE}, path="/other") as answer:
        assert answer.status == 404
        assert answer.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origins", [[], ["https://other.example.com"]])
async def test_no_other_origin_is_told_anything(origins: list[str]) -> None:
    app = Server("s").asgi(allowed_origins=origins)
    async with ask(app, method="OPTIONS", headers=PREFLIGHT) as answer:
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_with_every_origin_let_in_the_one_that_asks_is_named_and_never_a_star() -> None:
    app = Server("s").asgi(allowed_origins=["*"])
    async with ask(app, method="OPTIONS", headers=PREFLIGHT) as answer:
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "*" not in answer.headers.values()


async def test_it_is_off_until_an_origin_is_named() -> None:
    app = Server("s").asgi()
    local = {**PREFLIGHT, "origin": "http://localhost:6274"}
    async with ask(app, method="OPTIONS", headers=local) as answer:
        assert answer.status == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_names_of_headers_that_are_none_are_not_repeated() -> None:
    app = Server("s").asgi(allowed_origins=[PAGE])
    strange = {**PREFLIGHT, "access-control-request-headers": "a;b: c"}
    async with ask(app, method="OPTIONS", headers=strange) as answer:
        assert answer.status == 204
        assert "access-control-allow-headers" not in answer.headers


async def test_what_asks_for_nothing_is_no_preflight() -> None:
    app = Server("s").asgi(allowed_origins=[PAGE])
    async with ask(app, method="OPTIONS", headers={**PREFLIGHT, "access-control-request-method": None}) as answer:
        assert answer.status == 405
        assert "access-control-allow-methods" not in answer.headers
    async with ask(app, method="OPTIONS", headers={**PREFLIGHT, "origin": None}) as answer:
        assert answer.status == 405


async def test_a_browser_may_ask_for_a_further_path() -> None:
    app = Server("s").asgi(allowed_origins=[PAGE], routes={"/health": lambda: "ok"})
    async with ask(app, method="OPTIONS", headers=PREFLIGHT, path="/health") as answer:
        assert answer.status == 204
        assert answer.headers["access-control-allow-methods"] == "GET, POST, DELETE"
