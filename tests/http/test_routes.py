"""Further paths beside the endpoint, behind the same guard."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from mcport import Server

from .bridge import Answer, ask

pytestmark = pytest.mark.anyio


async def _ready() -> dict[str, Any]:
    return {"ready": True}


def _broken() -> str:
    raise LookupError("the password is 123")


def app() -> Any:
    return Server("s").asgi(
        routes={
            "/health": lambda: "ok",
            "/ready": _ready,
            "/starlette": PlainTextResponse("from starlette"),
            "/broken": _broken,
        },
        allowed_origins=["https://app.example.com"],
    )


async def got(path: str, method: str = "GET", **headers: str) -> tuple[Answer, bytes]:
    async with ask(app(), path=path, method=method, headers={**headers}) as answer:
        return answer, await answer.body()


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/health", "text/plain; charset=utf-8", b"ok"),
        ("/ready", "application/json", b'{"ready":true}'),
        ("/starlette", "text/plain; charset=utf-8", b"from starlette"),
    ],
)
async def test_a_path_is_served_by_a_function_or_an_application(path: str, kind: str, body: bytes) -> None:
    answer, said = await got(path)
    assert (answer.status, answer.headers["content-type"], said) == (200, kind, body)


async def test_a_further_path_is_behind_the_guard_and_lets_named_pages_in() -> None:
    answer, said = await got("/health", host="evil.example")
    assert answer.status == 421
    assert b"allowed_hosts" in said
    answer, _ = await got("/health", origin="https://app.example.com")
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"


async def test_a_function_that_fails_tells_nobody_why(caplog: pytest.LogCaptureFixture) -> None:
    answer, said = await got("/broken")
    assert answer.status == 500
    assert b"123" not in said
    assert "the route /broken failed" in caplog.text


async def test_a_function_answers_reading_only() -> None:
    answer, _ = await got("/health", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/mcp", "/", "/sse", "/messages", "health"])
def test_a_path_that_is_taken_or_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="routes: "):
        Server("s").asgi(routes={path: lambda: "ok"})
    with pytest.raises(TypeError, match="routes: what serves '/x'"):
        Server("s").asgi(routes={"/x": "ok"})  # type: ignore[dict-item]
