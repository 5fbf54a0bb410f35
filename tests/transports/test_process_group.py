"""A process group: who is in it, and when it may be signalled."""

import os
import subprocess
import sys
from typing import Any

import pytest

from mcport.transports.ending import PosixGroup
from tests.transports.children import program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")


def test_a_group_that_was_seen_empty_is_never_signalled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen(program("never_answers.py"), stdin=subprocess.DEVNULL, start_new_session=True)
    group = PosixGroup(process.pid)
    process.wait()
    assert group.is_empty()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("signalled"))
    group.ask_to_end()
    group.kill()
    assert group.is_empty()


@pytest.mark.skipif(sys.platform != "linux", reason="the table of processes is Linux's")
def test_a_group_of_zombies_counts_as_empty() -> None:
    """Where process 1 reaps nobody, orphans stay zombies for ever."""
    process = subprocess.Popen(program("never_answers.py"), stdin=subprocess.DEVNULL, start_new_session=True)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    os.killpg(process.pid, 0)
    assert PosixGroup(process.pid).is_empty()
    process.wait()


@pytest.mark.parametrize("table", [[], ["self"], OSError])
def test_without_a_table_of_processes_a_group_that_takes_signals_is_alive(
    monkeypatch: pytest.MonkeyPatch, table: Any
) -> None:
    def listdir(_: str) -> list[str]:
        if table is OSError:
            raise OSError
        return list(table)

    monkeypatch.setattr(os, "listdir", listdir)
    assert not PosixGroup(os.getpgrp()).is_empty()


def test_a_group_that_may_not_be_signalled_counts_as_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    assert PosixGroup(12345).is_empty()
