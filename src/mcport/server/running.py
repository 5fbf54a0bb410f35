"""Running a server as a program of its own: `server.run()`.

Below: `hosting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from .server import Server


def run_stdio(server: Server) -> None:
    """Serve over stdio until the client closes stdin; end without a traceback on Ctrl-C."""
    try:
        anyio.run(server.host.serve_stdio, True)
    except KeyboardInterrupt:
        return
