"""Figures of whole processes: how long one lives from start to end, what it costs, what it prints.

It knows spawning and the kernel's accounting; it refuses to know what the processes do. Below it: the operating system.
"""

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.driver import Cores, on_core

PATIENCE = 60  # seconds


class ProcessFailed(RuntimeError):
    """A measured process ended with an error; the message ends with the tail of its stderr."""


@dataclass(frozen=True, slots=True)
class Life:
    """One process from spawn to exit: seconds of wall time, seconds of CPU of it and its children, its stdout."""

    seconds: float
    cpu: float
    output: str


def live(argv: Sequence[str], env: Mapping[str, str], cores: Cores) -> Life:
    """Run a process to its end on the server's core."""
    before, begin = _children_cpu(), time.perf_counter()
    with on_core(cores.server, back_to=cores.other):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(env), text=True)
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
        raise ProcessFailed(f"not done after {PATIENCE} s: {' '.join(argv)[:200]}\n{errors[-2000:]}") from None
    life = Life(time.perf_counter() - begin, _children_cpu() - before, output)
    if process.returncode:
        raise ProcessFailed(f"exit code {process.returncode}: {' '.join(argv)[:200]}\n{errors[-2000:].strip()}")
    return life


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
