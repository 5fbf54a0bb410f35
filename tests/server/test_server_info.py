"""How a server names itself: the same with and without the models, in every revision."""

from __future__ import annotations

from typing import Any

import pytest

from mcport import Client, Server
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import Implementation

ABOUT: dict[str, Any] = {"title": "Weather", "description": "Forecasts", "website_url": "https://example.org"}


@pytest.mark.requirement("meta.implementation-fields")
@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_server_names_itself_with_the_members_that_the_revision_has(revision: str) -> None:
    server = Server("weather", "1.2", **ABOUT)
    expected = Implementation(name="weather", version="1.2", **ABOUT).to_wire(revision)
    async with Client(server, revision=revision) as client:
        assert client.server_info == expected
    assert ("title" in expected) == REVISIONS[revision].has_titles


async def test_icons_go_to_revisions_that_know_them() -> None:
    icons: Any = [{"src": "https://example.org/icon.png"}]
    server = Server("weather", icons=icons)
    async with Client(server) as client:
        assert client.server_info["icons"] == icons
    async with Client(server, revision="2025-06-18") as client:
        assert "icons" not in client.server_info
