"""The sockets at which a server listens, taken before anything is announced.

A host may stand for several addresses (`localhost`); what is in use is told with the next port that is free. Below: the
standard library.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from contextlib import ExitStack
from itertools import islice
from typing import Final, TypeAlias

from mcport.errors import CannotListen

Address: TypeAlias = tuple[socket.AddressFamily, str]

_WAITING: Final = 2048
"""So many connections may wait until they are accepted."""

_LOOKED_AT: Final = 100
"""So many further ports are looked at for one that is free."""

_HIGHEST: Final = 65535


def is_loopback(host: str) -> bool:
    """Return whether a host is reached from this machine only; a name other than `localhost` is not trusted to be."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at every address of a host, on one port; with port 0 on one that is free.

    Raises `CannotListen`, in one line.
    """
    if not 0 <= port <= _HIGHEST:
        raise CannotListen(f"a port is a number from 0 to {_HIGHEST}, not {port}")
    addresses = _addresses(host)
    try:
        return _listen(addresses, port)
    except OSError as error:
        raise CannotListen(_line(error, host, port, addresses)) from None


def url_of(listening: socket.socket, host: str, path: str) -> str:
    """Return where an endpoint is reached that listens on this socket."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}{path}"


def _addresses(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotListen(f"host {host!r:.80} is no address of this machine, such as '127.0.0.1' or '::'") from None
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _listen(addresses: list[Address], port: int) -> list[socket.socket]:
    """Take a port at all addresses; those that this machine does not have (IPv6 may be off) are left out of several."""
    missing: OSError | None = None
    taken: list[socket.socket] = []
    with ExitStack() as opened:
        for family, address in addresses:
            try:
                made = opened.enter_context(_bound(family, address, port))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error
                continue
            taken.append(made)
            port = made.getsockname()[1]
        if missing is not None and not taken:
            raise missing
        opened.pop_all()
    return taken


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    # Named as TCP, or asyncio would leave the delay on that waits for more to send.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended a moment ago
        elif sys.platform == "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(_WAITING)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def _line(error: OSError, host: str, port: int, addresses: list[Address]) -> str:
    if error.errno == errno.EADDRINUSE:
        free = _free_port(addresses, port)
        return f"port {port} of {host} is in use" + ("" if free is None else f"; port {free} is free")
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} of {host} may not be used by this user"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host {host!r:.80} is no address of this machine"
    return f"port {port} of {host} cannot be listened at: {error.strerror}"


def _free_port(addresses: list[Address], taken: int) -> int | None:
    for port in islice(range(taken + 1, _HIGHEST + 1), _LOOKED_AT):
        try:
            for each in _listen(addresses, port):
                each.close()
        except OSError:
            continue
        return port
    return None
