"""The gate: which Host and Origin headers let a request in."""

import pytest

from mcport.core.http.hosts import LOOPBACK, Gate

LOCAL = Gate()


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:65535", "localhost:80"]
)
@pytest.mark.parametrize("origin", [None, "http://localhost:3000", "https://127.0.0.1", "http://[::1]:8000"])
def test_programs_and_pages_of_this_machine_are_let_in(host: str, origin: str | None) -> None:
    for _ in range(2):  # the second time it is remembered
        assert LOCAL.judge([host], [] if origin is None else [origin]) is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example.com", 421),
        ("localhost.evil.example.com", 421),
        ("127.0.0.1.nip.io:8000", 421),
        ("127.0.0.2", 421),
        ("0.0.0.0:8000", 421),
        ("[::ffff:127.0.0.1]", 421),
        ("2130706433", 421),
        ("localhost.", 421),
        ("", 400),
        (" localhost", 400),
        ("localhost ", 400),
        ("localhost\t", 400),
        ("localhost\n", 400),
        ("localhost:", 400),
        ("localhost:x", 400),
        ("localhost:8000:9", 400),
        ("localhost:123456", 400),
        ("localhost/x", 400),
        ("localhost?x", 400),
        ("localhost#x", 400),
        ("localhost\\x", 400),
        ("a@localhost", 400),
        ("evil.example.com/?localhost:8000", 400),
        ("evil.example.com#@localhost", 400),
        ("localhost,evil.example.com", 400),
        ("http://localhost", 400),
        ("::1", 400),
        ("[::1", 400),
        ("[::1]x", 400),
        ("[::1]8000", 400),
        ("[fe80::1%eth0]", 400),
        ("löcalhost", 400),
        ("%6cocalhost", 400),
        ("-localhost", 400),
        (".localhost", 400),
        ("a" * 300, 400),
    ],
)
def test_other_hosts_are_refused(host: str, status: int) -> None:
    barred = LOCAL.judge([host], [])
    assert barred is not None
    assert barred.status == status


@pytest.mark.requirement("http.origin.validate", revisions=["2026-07-28"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "null",
        "",
        "localhost",
        "http://localhost.evil.example.com",
        "http://localhost@evil.example.com",
        "http://localhost/",
        "file://localhost",
        "chrome-extension://localhost",
        "HTTP://localhost",
        "http://localhost http://evil.example.com",
    ],
)
def test_pages_of_others_are_refused(origin: str) -> None:
    barred = LOCAL.judge(["localhost"], [origin])
    assert barred is not None
    assert barred.status == 403
    assert "allowed_origins" in barred.line


def test_p15_a_refused_host_names_the_host_the_setting_and_what_to_add() -> None:
    barred = LOCAL.judge(["example.com:8000"], [])
    assert barred is not None
    assert barred.line == (
        "Host 'example.com:8000' is not served here; if it should be: allowed_hosts=['example.com:8000']"
    )


def test_two_hosts_or_two_origins_or_no_host_are_refused() -> None:
    for hosts, origins in [([], []), (["localhost"] * 2, []), (["localhost"], ["http://localhost"] * 2)]:
        barred = LOCAL.judge(hosts, origins)
        assert barred is not None
        assert barred.status == 400


@pytest.mark.parametrize(
    ("allowed", "host", "enters"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.com:443", True),
        ("example.com", "example.com:80", True),
        ("example.com", "example.com:8000", False),
        ("example.com:8000", "example.com:8000", True),
        ("example.com:8000", "example.com", False),
        ("example.com:*", "example.com:1234", True),
        ("example.com:*", "example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "evilexample.com", False),
        ("*.example.com:*", "a.example.com:99", True),
        ("*", "anything.at.all:1", True),
        ("*", "not/a/host", False),
        ("[2001:DB8::1]", "[2001:db8::1]", True),
    ],
)
def test_hosts_are_named_with_a_port_any_port_or_the_usual_ones(allowed: str, host: str, enters: bool) -> None:
    assert (Gate([allowed]).judge([host], []) is None) is enters


@pytest.mark.parametrize(
    ("hosts", "origins", "origin", "enters"),
    [
        (["example.com"], [], "https://example.com", True),
        (["example.com"], [], "http://example.com:8000", False),
        (["example.com"], [], "http://example.com:443", False),
        (["example.com"], ["https://app.example.org"], "https://app.example.org", True),
        (["example.com"], ["https://app.example.org"], "http://app.example.org", False),
        (["example.com"], ["null"], "null", True),
        (["example.com"], ["*"], "https://anybody.example.org", True),
        (["*"], [], "https://anybody.example.org", False),
        (["*"], [], "https://x", True),
    ],
)
def test_pages_of_our_hosts_and_of_named_origins_are_let_in(
    hosts: list[str], origins: list[str], origin: str, enters: bool
) -> None:
    assert (Gate(hosts, origins).judge([hosts[0].replace("*", "x")], [origin]) is None) is enters


@pytest.mark.parametrize(
    "host", ["http://example.com", "example.com/", "", "*.", "a b", "example.com:80:*", "ex*mple.com"]
)
def test_a_setting_that_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts has names such as"):
        Gate([*LOOPBACK, host])


@pytest.mark.parametrize("origin", ["example.com", "https://example.com/", ""])
def test_a_setting_that_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="allowed_origins has origins such as"):
        Gate(LOOPBACK, [origin])


def test_what_is_remembered_is_bounded() -> None:
    gate = Gate(["*"])
    for number in range(1200):
        assert gate.judge([f"h{number}"], []) is None
    assert len(gate._known) == 1000
