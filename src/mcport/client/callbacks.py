"""Calling what the user gave: plain functions or coroutine functions, never in the way of reading.

Below: `session.loop`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

from ..core.events import Progressed
from ..session.link import OnProgress
from ..session.loop import Loop

log: Final = logging.getLogger("mcport.client")

ProgressCallback: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None] | None]
"""Called with the progress, the total if it is known, and a message if there is one."""


def progress_hook(loop: Loop, callback: ProgressCallback) -> OnProgress:
    """Return the hook that hands progress to a callback of the user."""

    def hook(event: Progressed) -> None:
        outcome = callback(event.progress, event.total, event.message)
        if outcome is not None:
            loop.keep(_finish(outcome, "progress"))

    return hook


async def _finish(outcome: Awaitable[None], what: str) -> None:
    try:
        await outcome
    except Exception:
        log.exception("the %s callback failed", what)


Run: TypeAlias = Coroutine[Any, Any, None]
