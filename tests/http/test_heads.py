"""Which heads of requests are simple, and which of them are known again."""

from __future__ import annotations

from typing import Any

import pytest

from mcport.transports.http.server import heads
from mcport.transports.http.server.heads import Heads
from mcport.transports.http.server.patience import HEAD_BYTES

from .test_direct import ADD, called


def headed(**headers: Any) -> bytes:
    """Return a call with these headers; None takes one away."""
    return called(a=1, b=2, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("host", [None, "localhost\r\nhost: evil.example", " localhost\r\n evil.example"])
def test_a_head_without_one_host_is_not_simple(host: str | None) -> None:
    assert Heads("/mcp", 1000).read(headed(host=host)) is None


def test_a_head_that_is_too_large_is_not_simple() -> None:
    found = Heads("/mcp", 1000)
    assert found.read(headed(x="a" * (HEAD_BYTES - 1000))) is not None
    assert found.read(headed(x="a" * HEAD_BYTES)) is None


@pytest.mark.parametrize(
    ("path", "comes"),
    [("/a@b:c/mcp", "/a@b:c/mcp"), ("/m%20cp", "/m%2520cp"), ("/m cp", "/m%20cp"), ("/\u00e4", "/%C3%A4")],
)
def test_a_path_is_known_as_it_is_written_in_a_request(path: str, comes: str) -> None:
    sent = ADD.replace(b"/mcp", comes.encode())
    assert Heads(path, 1000).read(sent) is not None
    assert Heads(path, 1000).read(ADD) is None


def test_a_usual_head_is_known_again_by_its_bytes() -> None:
    found = Heads("/mcp", 1000)
    assert found.read(ADD) is found.read(ADD)
    assert found.read(ADD) is not found.read(headed(mcp_name="sub"))


@pytest.mark.parametrize("name", ["authorization", "cookie", "dpop", "x_api_key", "mcp_param_password", "anything"])
def test_a_head_that_may_hold_a_secret_is_forgotten(name: str) -> None:
    found = Heads("/mcp", 1000)
    sent = headed(**{name: "x"})
    assert found.read(sent) is not found.read(sent)
    assert not found._known


def test_no_more_than_so_many_heads_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_MOST", 3)
    found = Heads("/mcp", 1000)
    for number in range(5):
        found.read(headed(user_agent=str(number)))
    assert len(found._known) == 3
    assert found.read(headed(user_agent="a" * 3000)) is not None
    assert len(found._known) == 3
