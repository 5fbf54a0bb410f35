"""Notices within one process: everybody who listens hears them, and nobody is stopped by another one's fault."""

from __future__ import annotations

import threading

import pytest

from mcport.stores.notices import MemoryNotices


def test_everybody_who_listens_hears_until_he_leaves() -> None:
    notices, one, other = MemoryNotices(), list[bytes](), list[bytes]()
    notices.publish(b"0")
    leave = notices.listen(one.append)
    notices.listen(other.append)
    notices.publish(b"1")
    leave()
    leave()
    notices.publish(b"2")
    assert (one, other) == ([b"1"], [b"1", b"2"])


def test_a_listener_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    notices, heard = MemoryNotices(), list[bytes]()

    def fail(notice: bytes) -> None:
        raise RuntimeError("no")

    notices.listen(fail)
    notices.listen(heard.append)
    notices.publish(b"1")
    assert heard == [b"1"]
    assert "a listener for notices failed" in caplog.text


def test_listening_and_leaving_from_many_threads_loses_nobody() -> None:
    notices, heard = MemoryNotices(), list[bytes]()

    def come_and_go() -> None:
        for _ in range(200):
            notices.listen(lambda notice: None)()

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        notices.listen(heard.append)
    for thread in threads:
        thread.join()
    notices.publish(b"1")
    assert heard == [b"1"] * 50
