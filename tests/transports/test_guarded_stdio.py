"""Standard streams under guard: only the protocol reaches stdout, only the protocol reads stdin (T-19d)."""

import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mcport.transports.guarded_stdio import guarded_stdio
from tests.transports.children import mcport_program, mcport_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what descriptors lead to is read in /proc")

NOISE = {
    "printed before",
    "from print",
    "from the old sys.stdout",
    "from sys.__stdout__",
    "from sys.stdout.buffer",
    "from descriptor 1",
    "from C",
    "from a child",
}


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    if not options:
        options = {"stdout": subprocess.PIPE, "input": "hello\nrest\n"}
    command = mcport_program("guarded.py", *arguments)
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=20, **options)


# ---- what the other side of the pipe sees


@pytest.mark.requirement("stdio.stdout-only-messages")
def test_no_kind_of_print_reaches_the_wire() -> None:
    done = run("noisy")
    assert done.stdout == "wire: hello\nafter: rest\n"
    assert {word for word in NOISE if word in done.stderr} == NOISE
    assert done.returncode == 0


@pytest.mark.requirement("stdio.stdout-only-messages")
def test_what_was_printed_before_and_not_flushed_goes_to_stderr() -> None:
    done = run("quiet")
    assert (done.stdout, done.stderr) == ("wire: hello\nafter: rest\n", "printed before")


def test_the_streams_come_back_after_an_error() -> None:
    done = run("noisy", "fails")
    assert done.stdout == "wire: hello\nafter: rest\n"


def test_files_serve_as_standard_streams(tmp_path: Path) -> None:
    given, taken = tmp_path / "in", tmp_path / "out"
    given.write_text("from a file\nrest\n")
    with given.open() as reading, taken.open("w") as writing:
        done = run("noisy", stdin=reading, stdout=writing)
    assert taken.read_text() == "wire: from a file\nafter: rest\n"
    assert {word for word in NOISE if word in done.stderr} == NOISE


def test_the_null_device_serves_as_standard_streams() -> None:
    done = run("noisy", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert {word for word in NOISE if word in done.stderr} == NOISE
    assert done.returncode == 0


def test_sockets_serve_as_standard_streams() -> None:
    """Hosts on Node give their children sockets."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        theirs,
        subprocess.Popen(
            mcport_program("guarded.py", "noisy"),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        theirs.close()
        ours.sendall(b"over a socket\nrest\n")
        ours.shutdown(socket.SHUT_WR)
        _, noise = process.communicate(timeout=20)
        assert ours.recv(1000, socket.MSG_WAITALL) == b"wire: over a socket\nafter: rest\n"
    assert {word for word in NOISE if word in noise} == NOISE


def test_a_terminal_serves_as_standard_streams() -> None:
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"typed\nrest\n\x04")
        done = run("noisy", stdin=theirs, stdout=theirs)
        assert b"wire: typed\r\nafter: rest\r\n" in os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert {word for word in NOISE if word in done.stderr} == NOISE


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_closed_standard_streams_count_as_the_null_device(closed: tuple[int, ...], tmp_path: Path) -> None:
    """Descriptors that are opened later must not land on their numbers: a log file would become the wire."""
    report = tmp_path / "report"
    script = f"""
import os, sys
from mcport.transports.guarded_stdio import guarded_stdio
def state():
    def name(fd):
        try:
            return os.readlink(f"/proc/self/fd/{{fd}}").split(":")[0]
        except OSError:
            return "closed"
    return [name(fd) for fd in range(3)]
before = state()
with guarded_stdio() as (reading, writing):
    inside = [min(reading, writing) > 2, os.read(reading, 10), os.write(writing, b"wire"), print("noise")]
    inside += [os.get_inheritable(fd) for fd in range(3)]
after = state()
open({str(report)!r}, "w").write(repr([before == after, inside]))
"""
    shell = ["sh", "-c", 'exec "$@" ' + " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed), "sh"]
    done = subprocess.run([*shell, *mcport_script(script)], input=b"ping", capture_output=True, timeout=20)
    read = b"" if 0 in closed else b"ping"
    assert report.read_text() == repr([True, [True, read, 4, None, True, True, True]])
    assert done.stdout == (b"" if 1 in closed else b"wire")


# ---- in this process


@contextmanager
def standard_descriptors() -> Iterator[tuple[int, int]]:
    """Puts pipes at descriptors 0 and 1 and gives their other ends; puts the old ones back."""
    kept = [os.dup(0), os.dup(1)]
    (reader, feed), (drain, writer) = os.pipe(), os.pipe()
    os.dup2(reader, 0)
    os.dup2(writer, 1)
    os.close(reader)
    os.close(writer)
    try:
        yield feed, drain
    finally:
        for number, fd in enumerate(kept):
            os.dup2(fd, number)
            os.close(fd)
        os.close(feed)
        os.close(drain)


def identities() -> list[tuple[int, int, bool]]:
    return [(os.fstat(fd).st_dev, os.fstat(fd).st_ino, os.get_inheritable(fd)) for fd in range(3)]


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("inheritable", [True, False])
def test_everything_comes_back_as_it_was(inheritable: bool) -> None:
    with standard_descriptors():
        os.set_inheritable(1, inheritable)
        streams, descriptors, count = (sys.stdin, sys.stdout), identities(), open_descriptors()
        with suppress(ZeroDivisionError), guarded_stdio():
            assert sys.stdout is sys.stderr
            assert identities()[1][:2] == descriptors[2][:2]
            raise ZeroDivisionError
        assert ((sys.stdin, sys.stdout), identities(), open_descriptors()) == (
            streams,
            descriptors,
            count,
        )


def test_the_private_descriptors_are_the_old_streams_and_not_inherited() -> None:
    with standard_descriptors() as (feed, drain), guarded_stdio() as (reading, writing):
        os.write(feed, b"request")
        assert os.read(reading, 100) == b"request"
        os.write(writing, b"answer")
        assert os.read(drain, 100) == b"answer"
        assert not os.get_inheritable(reading)
        assert not os.get_inheritable(writing)
        assert [os.get_inheritable(fd) for fd in range(2)] == [True, True]


def test_prints_go_to_whatever_stands_for_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_stdio():
        print("captured")
    assert capsys.readouterr() == ("", "captured\n")


@pytest.mark.parametrize("missing", ["stdin", "stdout", "stderr"])
def test_a_missing_stream_of_python_is_no_obstacle(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without a console has `None` for them."""
    monkeypatch.setattr(sys, missing, None)
    with guarded_stdio():
        print("to somebody or nobody")
        assert sys.stdin.read() == ""
    assert getattr(sys, missing) is None


def test_what_waits_in_a_buffer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with standard_descriptors() as (_, drain), open(1, "w", closefd=False) as buffered:
        monkeypatch.setattr(sys, "stdout", buffered)
        print("printed before")
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        kept = os.dup(2)
        os.dup2(writing, 2)
        os.close(writing)
        try:
            with guarded_stdio() as private:
                assert os.read(reading, 100) == b"printed before\n"
                os.write(private.output, b"wire")
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(reading)
        assert os.read(drain, 100) == b"wire"


def test_streams_that_are_no_real_ones_are_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        """Neither flushes nor has a descriptor."""

    closed = io.StringIO()
    closed.close()
    for stream in (Odd(), closed):
        monkeypatch.setattr(sys, "stdout", stream)
        with guarded_stdio():
            pass
        assert sys.stdout is stream


def test_a_second_server_gets_one_clear_line_and_the_first_is_not_disturbed() -> None:
    with standard_descriptors() as (_, drain), guarded_stdio() as first:
        with pytest.raises(RuntimeError, match="in use by another server of this process"), guarded_stdio():
            pytest.fail("two servers on one stdin")
        os.write(first.output, b"still here")
        assert os.read(drain, 100) == b"still here"


def test_a_server_may_follow_another() -> None:
    with standard_descriptors():
        for _ in range(2):
            with guarded_stdio():
                pass


def test_a_guard_that_cannot_begin_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with standard_descriptors():
        descriptors, count = identities(), open_descriptors()

        def refuse(*_: Any) -> int:
            raise OSError("no null device")

        with monkeypatch.context() as broken:
            broken.setattr(os, "open", refuse)
            with pytest.raises(OSError, match="no null device"), guarded_stdio():
                pytest.fail("began")
        assert (identities(), open_descriptors()) == (descriptors, count)
        with guarded_stdio():
            pass
