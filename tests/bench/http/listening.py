"""Many streams of `subscriptions/listen` that stay open, and one change that all of them hear.

It knows sockets; it refuses to know who serves. Below: `load`, `posting`.
"""

from __future__ import annotations

import resource
import select
import socket
import time

from tests.bench.driver import PATIENCE, ServerFailed
from tests.bench.http.load import CHUNK, Lines
from tests.bench.http.posting import post
from tests.bench.traffic import STATELESS, Traffic

STREAMS = 10_000
ACKNOWLEDGED = b"notifications/subscriptions/acknowledged"
CHANGED = b"notifications/tools/list_changed"


def listening(lines: Lines, traffic: Traffic) -> tuple[float, int]:
    """Open the streams and have one change told: the seconds until all have heard of it, the bytes that they took."""
    _allow_files(STREAMS + 200)
    server, streams = lines.server, list[socket.socket]()
    try:
        before = server.resident_bytes()
        for _ in range(STREAMS):
            streams.append(stream := server.connect())
            stream.sendall(post(traffic.listen(), STATELESS))
            _hear([stream], ACKNOWLEDGED)
        grown = server.resident_bytes() - before
        begin = time.perf_counter()
        lines.ask(post(traffic.call("tell"), STATELESS))
        _hear(streams, CHANGED)
        return time.perf_counter() - begin, grown
    finally:
        for stream in streams:
            stream.close()


def _hear(streams: list[socket.socket], what: bytes) -> None:
    poll = select.epoll()
    left = {stream.fileno(): stream for stream in streams}
    for number in left:
        poll.register(number, select.EPOLLIN)
    while left:
        ready = poll.poll(PATIENCE)
        if not ready:
            raise ServerFailed(f"{len(left)} streams heard nothing")
        for number, _ in ready:
            if what in left[number].recv(CHUNK):
                poll.unregister(number)
                del left[number]
    poll.close()


def _allow_files(many: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(many, most), most))
