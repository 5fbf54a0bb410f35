"""A server process behind sockets, driven with bytes that were serialised beforehand.

The driver sits on one core and the server on the other; no client's HTTP or JSON stands between a server and the
clock. Below: `driver`, `posting`.
"""

from __future__ import annotations

import select
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.driver import PATIENCE, Cores, Run, ServerFailed, cpu_clock, on_core
from tests.bench.http.posting import whole

CHUNK = 1 << 18


class Listening:
    """A server subprocess on its own core, reached by sockets; its output goes to a file."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cores: Cores, port: int) -> None:
        self.cores = cores
        self.port = port
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        with on_core(cores.server, back_to=cores.other):
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, env=dict(env)
            )
        try:
            self.connect(until=time.monotonic() + PATIENCE).close()
        except BaseException:
            self.close()
            raise

    def connect(self, until: float = 0.0) -> socket.socket:
        """Open a connection; until some time a server that does not listen yet is waited for."""
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), PATIENCE)
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise self._failure("does not listen") from None
                time.sleep(0.02)

    def cpu_seconds(self) -> float:
        return time.clock_gettime(cpu_clock(self._process.pid))

    def resident_bytes(self) -> int:
        """What the process holds of the machine's memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * 4096

    @contextmanager
    def measured(self, runs: list[Run]) -> Iterator[list[bytes]]:
        """Yield a list for the answers of what is timed; afterwards the run is appended to `runs`."""
        answers: list[bytes] = []
        before = time.perf_counter(), self.cpu_seconds(), time.process_time()
        yield answers
        after = time.perf_counter(), self.cpu_seconds(), time.process_time()
        seconds, theirs, ours = (late - early for early, late in zip(before, after, strict=True))
        runs.append(Run(seconds, theirs, ours, sum(map(len, answers)), b""))

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _failure(self, what: str) -> ServerFailed:
        self._said.seek(0)
        tail = self._said.read()[-2000:].decode(errors="replace").strip()
        return ServerFailed(f"the server {what}: {self._process.args!r:.200}\n{tail}")


class Lines:
    """Some connections that stay open. Each carries one request at a time."""

    def __init__(self, server: Listening, many: int) -> None:
        self.server = server
        self.sockets = [server.connect() for _ in range(many)]
        for each in self.sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        for each in self.sockets:
            each.close()

    def ask(self, request: bytes, line: int = 0) -> bytes:
        """Send one request and return its whole answer."""
        connection = self.sockets[line]
        connection.sendall(request)
        parts = [connection.recv(CHUNK)]
        size = len(parts[0])
        while not whole(parts[0] if len(parts) == 1 else b"".join(parts)):
            parts.append(connection.recv(CHUNK))
            size += len(parts[-1])
            if not parts[-1]:
                raise ServerFailed(f"the connection ended in the middle of an answer, after {size} bytes")
        return b"".join(parts)

    def one_by_one(self, requests: Sequence[bytes]) -> tuple[Run, list[bytes], float]:
        """Send requests one at a time on one connection and core; return also the median of their seconds."""
        taken, runs = [], list[Run]()
        cores = self.server.cores
        with on_core(cores.server, back_to=cores.other), self.server.measured(runs) as answers:
            for request in requests:
                begin = time.perf_counter()
                answers.append(self.ask(request))
                taken.append(time.perf_counter() - begin)
        return runs[0], answers, statistics.median(taken)

    def side_by_side(self, requests: Sequence[Sequence[bytes]]) -> tuple[Run, list[bytes]]:
        """Send each connection its requests, one after the other, all connections at once."""
        runs: list[Run] = []
        with self.server.measured(runs) as answers:
            self._flow(requests, answers)
        return runs[0], answers

    def _flow(self, requests: Sequence[Sequence[bytes]], answers: list[bytes]) -> None:
        poll, waiting = select.epoll(), {}
        for connection, own in zip(self.sockets, requests, strict=True):
            poll.register(connection, select.EPOLLIN)
            following = iter(own)
            waiting[connection.fileno()] = (connection.recv, connection.send, following)
            connection.send(next(following))
        begun: dict[int, bytes] = {}
        left = sum(map(len, requests))
        while left:
            ready = poll.poll(PATIENCE)
            if not ready:
                raise ServerFailed(f"silent for {PATIENCE:.0f} s, {left} requests not answered")
            for number, _ in ready:
                recv, send, following = waiting[number]
                data = begun.pop(number, b"") + (fresh := recv(CHUNK))
                if not fresh:
                    raise ServerFailed("a connection was closed")
                if not whole(data):
                    begun[number] = data
                    continue
                answers.append(data)
                left -= 1
                if request := next(following, None):
                    send(request)
        poll.close()
