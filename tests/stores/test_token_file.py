"""The file of tokens is for its user alone, is replaced as a whole, and outlives processes and damage."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from mcport import FileTokens, MemoryTokens
from mcport.stores.token_file import default_path

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")


async def test_what_is_kept_is_there_for_whoever_opens_the_file_next(tmp_path: Path) -> None:
    path = tmp_path / "a" / "tokens.json"
    store = FileTokens(path)
    assert await store.get("k") is None
    await store.set("k", "v")
    await store.set("l", "w")
    await FileTokens(path).delete("l")
    await FileTokens(path).delete("never")
    assert (await store.get("k"), await store.get("l")) == ("v", None)


async def test_a_store_in_memory_keeps_and_forgets() -> None:
    store = MemoryTokens()
    await store.set("k", "s3cret")
    assert await store.get("k") == "s3cret"
    assert repr(store) == "<MemoryTokens with 1 keys>"
    await store.delete("k")
    await store.delete("k")
    assert await store.get("k") is None


@posix
@pytest.mark.requirement("auth.security.token-storage")
async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "tokens.json"
    old = os.umask(0)
    try:
        await FileTokens(path).set("k", "v")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == ["tokens.json", "tokens.lock"]


@posix
async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text('{"version": 1, "kept": {"k": "planted"}}')
    (tmp_path / "tokens.json").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match=r"."):
        await FileTokens(tmp_path / "tokens.json").get("k")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"version": 2, "kept": {"k": "v"}}', '{"version": 1}'])
async def test_a_file_that_cannot_be_read_is_one_without_tokens(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)
    store = FileTokens(path)
    assert await store.get("k") is None
    await store.set("k", "v")
    assert await store.get("k") == "v"


async def test_side_by_side_nobody_writes_over_what_another_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    code = (
        "import sys; from mcport import FileTokens; store = FileTokens(sys.argv[1]);"
        "[store._change(lambda kept: kept.update({f'{sys.argv[2]}{number}': 'v'})) for number in range(20)]"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(FileTokens(path).set, f"c{number}", "v")
    assert [await anyio.to_thread.run_sync(each.wait) for each in others] == [0, 0]
    store = FileTokens(path)
    assert [await store.get(f"{name}{number}") for name in "abc" for number in range(20)] == ["v"] * 60


async def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileTokens(tmp_path / "tokens.json")
    await store.set("k", "v")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        await store.set("k", "w")
    assert await store.get("k") == "v"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tokens.json", "tokens.lock"]


def test_the_users_own_file_stands_where_programs_keep_their_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_path() == Path("/somewhere/mcport/tokens.json")
    assert repr(FileTokens()) == f"FileTokens({str(default_path())!r})"


async def test_no_two_are_in_the_same_block_at_once(tmp_path: Path) -> None:
    ones = [FileTokens(tmp_path / "a" / "tokens.json") for _ in range(2)]
    order: list[str] = []
    entered, leave = anyio.Event(), anyio.Event()

    async def first() -> None:
        async with ones[0].alone("server"):
            entered.set()
            await leave.wait()
            order.append("first")

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        await entered.wait()
        async with ones[1].alone("another server"):
            order.append("other")
        leave.set()
        async with ones[1].alone("server"):
            order.append("second")
    assert order == ["other", "first", "second"]
