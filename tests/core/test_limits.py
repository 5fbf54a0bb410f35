"""Bounds are positive integers, each with a default, and a wrong one is said in one line."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from mcport.core.limits import CLIENT_LIMITS, MIB, SERVER_LIMITS, Limits

NAMES = [bound.name for bound in fields(Limits)]


def test_every_bound_has_a_default_that_is_a_number() -> None:
    for limits in (Limits(), SERVER_LIMITS, CLIENT_LIMITS):
        assert all(type(getattr(limits, name)) is int and getattr(limits, name) > 0 for name in NAMES)
    assert (SERVER_LIMITS.message_bytes, CLIENT_LIMITS.message_bytes) == (4 * MIB, 16 * MIB)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1, None, True, 1.5, float("inf"), "10"])
def test_what_is_no_bound_is_refused_by_name(name: str, value: object) -> None:
    bound: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=rf"^Limits\.{name} must be an integer of at least [01], not "):
        Limits(**bound)
    with pytest.raises(ValueError, match=rf"^Limits\.{name} must be an integer of at least [01], not "):
        SERVER_LIMITS.but(**bound)


def test_nothing_at_all_is_a_bound_for_what_may_be_done_without() -> None:
    assert Limits(requests_queued=0, bad_lines=0, stderr_bytes=0).requests_queued == 0
    with pytest.raises(ValueError, match="worker_threads"):
        Limits(worker_threads=0)


def test_but_changes_a_copy() -> None:
    changed = SERVER_LIMITS.but(message_bytes=10)
    assert (changed.message_bytes, changed.bad_lines) == (10, SERVER_LIMITS.bad_lines)
    assert SERVER_LIMITS.message_bytes == 4 * MIB
    with pytest.raises(FrozenInstanceError):
        changed.message_bytes = 5  # type: ignore[misc]
