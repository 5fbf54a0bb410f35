"""One server process behind two pipes, driven with bytes that were serialised beforehand.

It knows lines, pipes, cores and the kernel's CPU accounting; it refuses to know JSON or MCP, so that no SDK's client
and no parsing stands between a server and the clock. Below it sits the operating system only.
"""

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHUNK = 65536  # what a Linux pipe holds: more cannot be read at once, and less means more system calls
PATIENCE = 60.0  # seconds of silence after which a server counts as dead


class ServerFailed(RuntimeError):
    """A server process ended or fell silent; the message ends with the tail of its stderr."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one timed run saw: seconds of wall time, CPU seconds of either side, and the answers' bytes."""

    seconds: float
    server_cpu: float
    driver_cpu: float
    received: int
    answers: bytes

    @property
    def driver_bound(self) -> bool:
        """True where the driver itself was busy nearly all of the time, so that the figure is a lower bound."""
        return self.driver_cpu > 0.9 * self.seconds


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the two sides run: the server always on one core, the driver beside it or on another."""

    server: int
    other: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        allowed = sorted(os.sched_getaffinity(0))
        return cls(server=allowed[-1], other=allowed[0])


@contextmanager
def on_core(core: int, *, back_to: int) -> Iterator[None]:
    """Run this thread, and whatever it starts, on one core for a while."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {back_to})


def cpu_clock(pid: int) -> int:
    """The clock id of another process' CPU time (see clock_getcpuclockid(3)): all threads, in nanoseconds."""
    return ((~pid) << 3) | 2


class Piped:
    """A server subprocess: spawned on the server's core, stdin and stdout are our pipes, stderr goes to a file."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cores: Cores) -> None:
        self._cores = cores
        # Deleted as soon as it is closed; the server holds the other descriptor.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        with on_core(cores.server, back_to=cores.other):  # inherited, also by every thread that the server will start
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, env=dict(env), bufsize=0
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to = self._process.stdin.fileno()
        self._from = self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._readable = select.poll()
        self._readable.register(self._from, select.POLLIN)
        self._both = select.poll()
        self._both.register(self._from, select.POLLIN)
        self._both.register(self._to, select.POLLOUT)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        return time.clock_gettime(cpu_clock(self.pid))

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ServerFailed(f"no VmRSS for {self.pid}")

    def tell(self, message: bytes) -> None:
        """Write one small message that has no answer."""
        if os.write(self._to, message) != len(message):
            raise ServerFailed("the pipe took only a part of a small message")

    def ask(self, request: bytes) -> bytes:
        """Write one request and return the next line that the server writes."""
        return self.pipelined([request], in_flight=1, keep=True).answers

    def one_by_one(self, requests: Sequence[bytes]) -> tuple[list[int], Run]:
        """Send small requests one at a time, on the server's core; return each one's nanoseconds."""
        latencies: list[int] = []
        answers: list[bytes] = []
        write, read, clock, to, source = os.write, os.read, time.perf_counter_ns, self._to, self._from
        os.set_blocking(source, True)
        with on_core(self._cores.server, back_to=self._cores.other):
            before = self._clocks()
            for request in requests:
                begin = clock()
                write(to, request)
                answer = read(source, CHUNK)
                while not answer.endswith(b"\n"):
                    answer += self._more(read(source, CHUNK))
                latencies.append(clock() - begin)
                answers.append(answer)
            after = self._clocks()
        os.set_blocking(source, False)
        return latencies, self._run(before, after, answers, sum(map(len, answers)))

    def pipelined(self, requests: Sequence[bytes], in_flight: int, *, keep: bool) -> Run:
        """Keep `in_flight` requests open until all are answered: on the server's core if one, else on the other.

        Each batch of answers is followed by one write of as many requests. `keep` retains the answers' bytes.
        """
        answers: list[bytes] = []
        core = self._cores.server if in_flight == 1 else self._cores.other
        with on_core(core, back_to=self._cores.other):
            before = self._clocks()
            received = self._flow(requests, in_flight, answers.append if keep else None)
            after = self._clocks()
        return self._run(before, after, answers, received)

    def _flow(self, requests: Sequence[bytes], in_flight: int, keep: Callable[[bytes], None] | None) -> int:
        total, sent, answered, received = len(requests), min(in_flight, len(requests)), 0, 0
        backlog = self._write(memoryview(b"".join(requests[:sent])))
        while answered < total:
            if backlog:
                backlog = self._write(backlog)
            data = self._read(self._both if backlog else self._readable)
            if data is None:
                continue
            received += len(data)
            if keep:
                keep(data)
            fresh = data.count(b"\n")
            answered += fresh
            if fresh and sent < total:
                refill = b"".join(requests[sent : sent + fresh])
                sent = min(sent + fresh, total)
                backlog = self._write(memoryview(bytes(backlog) + refill if backlog else refill))
        return received

    def close(self) -> None:
        """Close the pipes; a server that does not end by itself within five seconds is killed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()

    def _write(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self._to, data) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:
            raise self._failure("closed its stdin") from None

    def _read(self, poll: select.poll) -> bytes | None:
        try:
            return self._more(os.read(self._from, CHUNK))
        except BlockingIOError:
            if not poll.poll(PATIENCE * 1000):
                raise self._failure(f"silent for {PATIENCE:.0f} s") from None
            return None

    def _more(self, data: bytes) -> bytes:
        if not data:
            raise self._failure("closed its stdout")
        return data

    def _failure(self, what: str) -> ServerFailed:
        self._stderr.seek(0)
        tail = self._stderr.read()[-2000:].decode(errors="replace").strip()
        command = " ".join(map(str, self._process.args if isinstance(self._process.args, list) else []))
        return ServerFailed(f"the server {what}: {command[:200]}\n{tail}")

    def _clocks(self) -> tuple[float, float, float]:
        return time.perf_counter(), self.cpu_seconds(), time.process_time()

    @staticmethod
    def _run(
        before: tuple[float, float, float], after: tuple[float, float, float], answers: list[bytes], received: int
    ) -> Run:
        seconds, server, driver = (end - start for start, end in zip(before, after, strict=True))
        return Run(seconds, server, driver, received, b"".join(answers))
