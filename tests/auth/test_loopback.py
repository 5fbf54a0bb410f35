"""The port that waits for a browser takes the answer that is waited for, and shows nothing of what comes."""

import anyio
import httpx
import pytest

from mcport.auth.browser import presentable
from mcport.auth.judging import Unfit
from mcport.auth.loopback import Loopback

STATE = "the-state"


async def said(loopback: Loopback, path: str = "/callback", method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as browser:
        return await browser.request(method, loopback.url.replace("/callback", path), headers=headers)


async def test_the_answer_that_is_waited_for_is_taken_and_the_page_says_nothing_of_it() -> None:
    loopback = await Loopback.open(0, ())
    async with loopback.serving(STATE):
        page = await said(loopback, f"/callback?state={STATE}&code=<script>&iss=x")
        with anyio.fail_after(5):
            assert await loopback.query() == f"state={STATE}&code=%3Cscript%3E&iss=x"
    await loopback.aclose()
    assert page.status_code == 200
    assert "script" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_what_was_not_waited_for_is_turned_away_and_the_wait_goes_on() -> None:
    loopback = await Loopback.open(0, ())
    good = f"/callback?state={STATE}&code=a"
    async with loopback.serving(STATE):
        assert (await said(loopback, "/")).status_code == 404
        assert (await said(loopback, "/callback?code=a")).status_code == 400
        assert (await said(loopback, "/callback?state=other&code=a")).status_code == 400
        assert (await said(loopback, f"{good}&state={STATE}")).status_code == 400
        assert (await said(loopback, good, "POST")).status_code == 405
        assert (await said(loopback, good, host="evil.example")).status_code == 421
        assert (await said(loopback, good)).status_code == 200
        assert (await said(loopback, f"{good}b")).status_code == 400
        assert await loopback.query() == good.partition("?")[2]
    await loopback.aclose()


async def test_what_is_no_http_and_what_never_ends_disturbs_nobody() -> None:
    loopback = await Loopback.open(0, ())
    port = int(loopback.url.split(":")[2].split("/")[0])
    async with loopback.serving(STATE):
        silent = await anyio.connect_tcp("127.0.0.1", port)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"\x16\x03\x01" * 9000)
            assert (await stream.receive()).startswith(b"HTTP/1.1 400 ")
        assert (await said(loopback, f"/callback?state={STATE}")).status_code == 200
        await silent.aclose()
    await loopback.aclose()


async def test_the_port_of_the_last_time_is_taken_again_if_it_is_free() -> None:
    first = await Loopback.open(0, ())
    other = await Loopback.open(0, (first.url,))
    assert other.url != first.url
    await first.aclose()
    again = await Loopback.open(0, ("https://host.example/back", first.url))
    assert again.url == first.url
    await other.aclose()
    with pytest.raises(OSError, match=r"."):
        await Loopback.open(int(again.url.split(":")[2].split("/")[0]), ())
    await again.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://as.example/authorize",
        "-oProxyCommand=x",
        "https://as.example/$(touch x)\n",
        "https://as.example/`x`",
        'https://as.example/"&calc',
        "https://user:pass@as.example/",
        "https:///authorize",
        "https://as.example/\u202e",
        "https://as.example\\@evil.example/",
        "https://as.example/" + "a" * 4096,
    ],
)
def test_nothing_but_a_web_address_is_opened(url: str) -> None:
    with pytest.raises(Unfit):
        presentable(url)


def test_a_web_address_is_opened_as_it_is() -> None:
    for url in ("https://as.example/authorize?a=b&c=%20d", "http://localhost:8080/authorize"):
        assert presentable(url) == url
