"""The ASGI server of somebody else, where it can be seen that it was told to end.

uvicorn tells an application of its end only once every stream is closed, and streams are open until they are told. It
can be found as what handles SIGTERM; where it is not (several kinds of workers), its own time-out has to do. Below: the
standard library.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.2
"""So often it is looked whether the end has come."""


def ending() -> Callable[[], bool] | None:
    """Return what says whether the server that runs this process was told to end; None where none can be seen."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(getattr(server, "should_exit", None), bool) or getattr(server, "tells_apps", False):
        return None
    return lambda: bool(server.should_exit)  # type: ignore[union-attr]
