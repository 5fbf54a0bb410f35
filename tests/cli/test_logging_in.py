"""The command `auth`: what it prints, what it keeps, and what it says where it cannot."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from mcport.testing.authorization import AuthorizationServer
from tests.auth.places import Protected, place

from .commands import Here


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that wants a login, of a person whose browser agrees, and a home of its own for tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", _browse)
    with start_blocking_portal() as portal:
        yield from _served(portal)


def _browse(page: str) -> bool:
    """Be a browser that goes where it is sent."""
    Thread(target=urlopen, args=(page,)).start()
    return True


def _served(portal: BlockingPortal) -> Iterator[str]:
    with portal.wrap_async_context_manager(place(lambda origin: AuthorizationServer(origin).answer)) as issuer:
        servers: list[Protected] = []

        def protected(origin: str) -> Protected:
            servers.append(Protected(origin, issuer, bool))
            return servers[0]

        with portal.wrap_async_context_manager(place(protected)):
            yield servers[0].url


def test_who_logs_in_is_logged_in_until_they_log_out(here: Here, url: str) -> None:
    assert here("auth", "status", url).stdout == f"not logged in to {url}\n"
    done = here("auth", "login", url)
    assert done.returncode == 0
    assert done.stdout.startswith(f"logged in to {url}: by http://127.0.0.1:")
    assert done.stderr.startswith("log in at 127.0.0.1:")
    assert here("auth", "status", url).returncode == 0
    listed = here("list", url, "--auth", "oauth")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert here("auth", "logout", url).stdout == f"logged out of {url}\n"
    assert here("auth", "status", url).returncode == 1


def test_a_login_that_fails_shows_the_way_line_by_line(here: Here) -> None:
    done = here("auth", "login", "http://127.0.0.1:1/mcp")
    assert done.returncode == 4
    first, second = done.stderr.splitlines()
    assert first.startswith("mcport: Cannot log in to server 'http://127.0.0.1:1/mcp': resource_metadata: no answer")
    assert second.startswith("  GET http://127.0.0.1:1/.well-known/oauth-protected-resource/mcp: ")


@pytest.mark.parametrize("url", ["server.py", "ftp://x/"])
def test_only_servers_at_urls_are_logged_in_to(here: Here, url: str) -> None:
    done = here("auth", "login", url)
    assert done.returncode == 2
    assert "is no URL" in done.stderr


@pytest.mark.requirement("auth.cimd.properties", "auth.cimd.client-id-equals-url", "auth.cimd.follow-draft")
def test_the_document_of_a_client_names_itself_and_where_browsers_come_back(here: Here) -> None:
    url = "https://me.example/client.json"
    document = json.loads(here("auth", "cimd", url, "--client-name", "Me").stdout)
    assert (document["client_id"], document["client_name"]) == (url, "Me")
    assert document["redirect_uris"] == ["http://127.0.0.1/callback", "http://localhost/callback"]
    assert document["token_endpoint_auth_method"] == "none"


@pytest.mark.parametrize("url", ["http://me.example/client.json", "https://me.example/", "https://me.example"])
@pytest.mark.requirement("auth.cimd.url-form")
def test_a_document_stands_at_an_https_url_with_a_path(here: Here, url: str) -> None:
    assert here("auth", "cimd", url).returncode == 2
