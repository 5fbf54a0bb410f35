"""Servers over stdio that are noisy, slow and stubborn when they are asked to be.

    server.py SOCKET                            a nursery: it imports everything once and forks a server when asked
    server.py asyncio|trio [hasty] [embedded]   what the arguments of one server mean

A server says on stderr what happens in it. A `hasty` one has little patience with what does not end; an `embedded` one
is served inside a running event loop, by a program that handles its own signals.

The nursery takes its orders from a socket: an array of arguments, with the three standard descriptors, starts a server
and is answered with its process id; a process id is answered with its exit code.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import trio  # noqa: F401

from mcport import Server
from mcport.server import connection
from mcport.transports import pipes, threaded_pipes


def be_born(orders: socket.socket) -> list[str]:
    """Fork for whoever is ordered; return in the fork, with its arguments. Without more orders the nursery ends."""
    while True:
        order, fds, _, _ = socket.recv_fds(orders, 4096, 3)
        if not order:
            sys.exit()
        asked = json.loads(order)
        if isinstance(asked, int):
            orders.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
        for fd in fds:
            os.close(fd)
        if pid == 0:
            orders.close()
            arguments: list[str] = asked
            return arguments
        orders.send(b"%d" % pid)


def say(text: str) -> None:
    os.write(2, text.encode() + b"\n")


@asynccontextmanager
async def lifespan(server: Server) -> AsyncIterator[None]:
    say("lifespan began")
    try:
        yield
    finally:
        await anyio.lowlevel.checkpoint()
        say("lifespan ended")


server = Server("noisy", lifespan=lifespan)


@server.tool
async def add(a: int, b: int) -> int:
    return a + b


@server.tool
def make_noise() -> str:
    """Prints in every way there is."""
    print("from print")
    print("from sys.__stdout__", file=sys.__stdout__, flush=True)
    os.write(1, b"from descriptor 1\n")
    libc = ctypes.CDLL(None)
    libc.puts(b"from C")
    libc.fflush(None)
    subprocess.run([sys.executable, "-I", "-S", "-c", "print('from a child')"], check=True)
    return "made"


@server.tool
async def wait_for(path: str) -> str:
    """Waits for a line in a FIFO."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    say("waiting")
    await anyio.wait_readable(fd)
    return os.read(fd, 100).decode().strip()


@server.tool
async def stay() -> str:
    """Never ends by itself."""
    say("staying")
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        say("cleaned up")
    return ""


@server.resource("note://1")
def note() -> str:
    return "text"


@server.tool
async def change() -> str:
    """Changes the note, and says so here and in another thread."""
    server.notify_resource_updated("note://1")
    thread = threading.Thread(target=server.notify_tools_changed)
    thread.start()
    thread.join()
    return "changed"


arguments = be_born(socket.socket(fileno=int(sys.argv[1])))
if "hasty" in arguments:
    connection.GRACE = 0.05  # type: ignore[misc]
    for module in (pipes, threaded_pipes):
        vars(module)["BROKEN_SECONDS"] = 0
if "embedded" in arguments:
    anyio.run(server.serve, backend=arguments[0])
elif arguments[0] == "asyncio":
    server.run()
else:
    anyio.run(server.host.serve_stdio, True, backend="trio")
