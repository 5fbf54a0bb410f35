"""The link whose era is yet to be found out: what it passes on, and to which of the two."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from mcport.core.limits import Limits
from mcport.session.loop import current_loop
from mcport.transports.http.client.facing import FacingLink

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("changes", [False, True], ids=["the same era", "an era that was found meanwhile"])
async def test_the_clock_that_was_held_is_the_one_that_goes_on(changes: bool) -> None:
    link = FacingLink(MagicMock(), MagicMock(), current_loop(), Limits())
    said: list[str] = []

    def recorder(name: str) -> Any:
        return SimpleNamespace(hold=lambda: said.append(f"{name} held"), release=lambda: said.append(f"{name} goes on"))

    link._link = recorder("first")
    link.hold()
    if changes:
        link._link = recorder("second")
    link.release()
    assert said == ["first held", "first goes on"]
