"""`mcport run FILE --http`: serve the server of a file over HTTP, and say where once it listens.

Below: `loading`, `reloading`, the server.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import socket
import sys
import threading

from mcport.transports.http.server.binding import is_loopback

from .exits import DONE
from .loading import load_server
from .usage import UsageError


def serve(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    if not is_loopback(options.host) and not options.allow_host:
        raise UsageError(
            f"host {options.host!r:.80} is reached by other machines: say under which names this server may be asked "
            "for, such as --allow-host mcp.example.com; '*' lets every name in"
        )
    if not options.path.startswith("/") or options.path.endswith("/"):
        raise UsageError(
            f"--path begins with a slash and does not end with one, such as /mcp, not {options.path!r:.80}"
        )
    if not options.sockets:
        _recommend()
        if options.reload:
            from .reloading import reload

            return reload(options)
    return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    server = load_server(options.file)
    more = {"allowed_hosts": options.allow_host} if options.allow_host else {}
    try:
        server.run(
            "http",
            host=options.host,
            port=options.port,
            path=options.path,
            listening=lambda url: _say(f"{server.name} is served at {url}"),
            sockets=_inherited(options.sockets),
            **more,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    return DONE


def _inherited(fds: str | None) -> list[socket.socket]:
    """Return the sockets that a reloading parent handed down, and end with it."""
    if not fds:
        return []
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return [socket.socket(fileno=int(fd)) for fd in fds.split(",")]


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _recommend() -> None:
    """Name what makes a server faster and is not installed."""
    wanted = ["httptools"] if sys.platform == "win32" else ["uvloop", "httptools"]
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        _say(f"faster with {' and '.join(missing)}: pip install 'mcport[fast]'")


def _say(line: str) -> None:
    print(f"mcport: {line}", file=sys.stderr, flush=True)
