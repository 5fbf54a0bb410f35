"""`mcport demo --auth`: the way into a protected server, shown as it happens, with nobody and nothing else."""

import importlib.util
import re

import pytest

from tests.cli.commands import Here, run

CHAIN = r"""
client +opens (http://127\.0\.0\.1:\d+)/mcp, and knows nothing of it
server +POST /mcp: 401, scope notes:read, resource_metadata \1/\.well-known/oauth-protected-resource/mcp
server +GET /\.well-known/oauth-protected-resource/mcp: 200
authorizes +GET /\.well-known/oauth-authorization-server: 200
authorizes +POST /register: 201
browser +is sent to 127\.0\.0\.1:\d+, and ada agrees
authorizes +GET /authorize: 302, scope notes:read, resource \1/mcp
authorizes +POST /token: 200
"""


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_the_demonstration_shows_the_way_from_the_first_refusal_to_the_token(revision: str) -> None:
    done = run("demo", "--auth", "--revision", revision)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(CHAIN, done.stdout), done.stdout
    assert f"is in, protocol {revision}" in done.stdout
    first, more, again = re.split(r"\nclient +(?:wants|comes) .*\n", done.stdout)
    assert "mine = notes of ada, who may notes:read" in first
    assert re.search(r"server +POST /mcp: 403, scope notes:read notes:write, error insufficient_scope", more)
    assert "write = 'Hello' is written" in more
    assert "authorizes" not in again
    assert "mine = notes of ada, who may notes:read notes:write" in again


def test_no_token_and_no_code_is_shown() -> None:
    shown = run("demo", "--auth").stdout
    assert "POST /token: 200" in shown
    assert not [word for word in re.findall(r"[A-Za-z0-9_-]{20,}", shown) if not word.startswith("oauth-")]


def test_a_revision_that_is_not_there_is_told_in_one_line(here: Here) -> None:
    done = here("demo", "--auth", "--revision", "1999-01-01")
    assert done.returncode == 2
    assert "unknown protocol revision '1999-01-01'" in done.stderr


def test_what_has_to_be_installed_is_told_in_one_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = here("demo", "--auth")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "pip install 'mcport[auth]'" in line
