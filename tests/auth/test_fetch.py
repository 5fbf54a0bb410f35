"""The fetcher goes where a server may send this program, and nowhere else (server-side request forgery)."""

from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.auth.addresses import place_of, within_reach
from mcport.auth.fetch import MOST_BYTES, Fetcher
from mcport.auth.steps import Answer, Ask, NoOutcome

from .places import Answer as Raw
from .places import place

PUBLIC = "https://mcp.example/mcp"
HERE = "http://127.0.0.1:1/mcp"


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("93.184.216.34", "public"),
        ("2606:2800:220:1::1", "public"),
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::", "private"),
        ("169.254.169.254", "nowhere"),
        ("::ffff:169.254.169.254", "nowhere"),
        ("64:ff9b::a9fe:a9fe", "nowhere"),
        ("64:ff9b:1::a9fe:a9fe", "nowhere"),
        ("fe80::1", "nowhere"),
        ("fe80::1%eth0", "nowhere"),
        ("0.0.0.0", "nowhere"),
        ("::", "nowhere"),
        ("224.0.0.1", "nowhere"),
        ("255.255.255.255", "nowhere"),
        ("240.0.0.1", "nowhere"),
        ("ff02::1", "nowhere"),
        ("mcp.example", "nowhere"),
        ("", "nowhere"),
    ],
)
def test_an_address_is_where_it_leads_however_it_is_written(address: str, where: str) -> None:
    assert place_of(address) == where


@given(st.ip_addresses())
def test_no_address_in_disguise_is_nearer_than_itself(address: Any) -> None:
    if address.version == 4:
        assert place_of(f"::ffff:{address}") == place_of(str(address))
    else:
        assert place_of(str(address)) in ("public", "private", "loopback", "nowhere")


@pytest.mark.parametrize(
    ("address", "server", "private", "good"),
    [
        ("93.184.216.34", PUBLIC, False, True),
        ("127.0.0.1", PUBLIC, False, False),
        ("10.0.0.1", PUBLIC, False, False),
        ("10.0.0.1", PUBLIC, True, True),
        ("127.0.0.1", HERE, False, True),
        ("127.0.0.1", "http://localhost/mcp", False, True),
        ("10.0.0.1", HERE, False, False),
        ("10.0.0.1", "https://10.9.9.9/mcp", False, True),
        ("127.0.0.1", "https://10.9.9.9/mcp", False, False),
        ("169.254.169.254", "https://169.254.169.254/mcp", True, False),
    ],
)
def test_a_server_leads_to_public_places_and_to_where_it_is_itself(
    address: str, server: str, private: bool, good: bool
) -> None:
    assert within_reach(address, server, private=private) is good


async def fetched(ask: Ask, server: str = HERE, seconds: float = 5.0) -> Answer | NoOutcome:
    async with Fetcher(server, seconds=seconds) as fetcher:
        return await fetcher.fetch(ask)


def always(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
    """Answer every request in the same way, and remember them."""
    seen: list[tuple[str, Mapping[str, str]]] = []

    def answers(method: str, target: str, fields: Mapping[str, str], content: bytes) -> Raw:
        seen.append((target, fields))
        return status, headers or {}, body

    answers.seen = seen  # type: ignore[attr-defined]
    return answers


async def test_a_document_is_fetched_without_anything_that_belongs_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    handler = always(200, {"set-cookie": "a=b"}, b"{}")
    async with place(lambda origin: handler) as origin, Fetcher(HERE) as fetcher:
        for _ in range(2):
            answer = await fetcher.fetch(Ask("x", f"{origin}/a?b"))
            assert isinstance(answer, Answer)
            assert (answer.status, answer.document()) == (200, {})
    for target, fields in handler.seen:
        assert target == "/a?b"
        assert fields["host"] == origin.removeprefix("http://")
        assert not {"cookie", "authorization", "referer"} & fields.keys()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://localhost:1/", "http://mcp.example/", "ftp://x/"]
)
async def test_a_public_server_leads_nobody_to_this_machine_or_to_plain_http(url: str) -> None:
    outcome = await fetched(Ask("x", url), PUBLIC)
    assert isinstance(outcome, NoOutcome)
    assert not outcome.passing
    assert any(each in outcome.reason for each in ("is not https", "may not send us to", "no URL of a place"))


async def test_a_name_is_resolved_once_and_the_connection_goes_where_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    handler = always(200)
    async with place(lambda origin: handler) as origin:
        named = origin.replace("127.0.0.1", "localhost")
        assert isinstance(await fetched(Ask("x", named)), Answer)
    assert asked == ["localhost"]
    assert handler.seen[0][1]["host"] == named.removeprefix("http://")


async def test_every_address_of_a_name_has_to_be_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(0, 0, 0, "", (each, port)) for each in ("93.184.216.34", "169.254.169.254")]

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    outcome = await fetched(Ask("x", "https://rebinding.example/"), PUBLIC)
    assert isinstance(outcome, NoOutcome)
    assert "may not send us to" in outcome.reason


async def test_redirects_are_followed_within_an_origin_for_documents_alone() -> None:
    def answers(method: str, target: str, fields: Mapping[str, str], content: bytes) -> Raw:
        number = int(target[1:])
        return (200, {}, b"{}") if number == 0 else (302, {"location": f"/{number - 1}"}, b"")

    async with place(lambda origin: answers) as origin:
        there = await fetched(Ask("x", f"{origin}/5"))
        assert isinstance(there, Answer)
        assert there.status == 200
        too_far = await fetched(Ask("x", f"{origin}/6"))
        assert isinstance(too_far, NoOutcome)
        assert "more than 5 times" in too_far.reason
        posted = await fetched(Ask("x", f"{origin}/1", "POST", {}, b"code=secret"))
        assert isinstance(posted, Answer)
        assert posted.status == 302


async def test_no_redirect_leads_to_another_origin() -> None:
    other = always(200)
    async with (
        place(lambda origin: other) as there,
        place(lambda origin: always(302, {"location": f"{there}/x"})) as origin,
    ):
        outcome = await fetched(Ask("x", f"{origin}/"))
    assert isinstance(outcome, NoOutcome)
    assert "another origin" in outcome.reason
    assert other.seen == []


async def test_an_answer_has_a_bound_in_size_and_is_not_shown() -> None:
    async with place(lambda origin: always(200, {}, b"s3cret" * MOST_BYTES)) as origin:
        outcome = await fetched(Ask("x", f"{origin}/"))
    assert isinstance(outcome, NoOutcome)
    assert outcome.reason == f"it answers with more than {MOST_BYTES} bytes"


async def test_an_answer_that_is_compressed_is_not_unpacked() -> None:
    async with place(lambda origin: always(200, {"content-encoding": "gzip"}, b"x")) as origin:
        outcome = await fetched(Ask("x", f"{origin}/"))
    assert isinstance(outcome, NoOutcome)
    assert "compressed" in outcome.reason


async def test_an_answer_has_a_bound_in_time() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        outcome = await fetched(Ask("x", f"http://127.0.0.1:{port}/"), seconds=0.05)
    assert outcome == NoOutcome("not done within 0.05 s", passing=True)


async def test_nobody_there_may_be_otherwise_later() -> None:
    outcome = await fetched(Ask("x", "http://127.0.0.1:1/"))
    assert isinstance(outcome, NoOutcome)
    assert outcome.passing


async def test_certificates_are_read_once_for_all_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made, make = list[object](), httpx.create_ssl_context

    def counted() -> object:
        made.append(None)
        return make()

    monkeypatch.setattr(httpx, "create_ssl_context", counted)
    for named in ("here", "here", "elsewhere"):
        monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere/{named}")
        async with Fetcher("https://127.0.0.1:1") as fetcher:
            assert isinstance(await fetcher.fetch(Ask("document", "https://127.0.0.1:1/")), NoOutcome)
    assert len(made) == 2
