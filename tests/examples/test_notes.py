"""The notes example on a real file: asked before it deletes, heard when it changes, and completing titles."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client, Server
from mcport.client.listening.changes import Change, ResourceUpdated
from mcport.client.listening.listening import Changes
from mcport.spec.revisions import REVISIONS
from tests.examples.loading import EXAMPLES, loaded
from tests.server.wire import ALL, NEW, OLD, Json, serving
from tests.transports.children import SOURCES

ONE = "asyncio"
"""Processes are started on one backend only: it is the example that is tested, not the loop."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notes of this test are."""
    monkeypatch.setenv("NOTES", str(tmp_path / "notes.db"))
    return tmp_path / "notes.db"


def notes() -> Server:
    server = loaded("notes").server
    assert isinstance(server, Server)
    return server


def titles(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        return [title for (title,) in connection.execute("SELECT title FROM notes ORDER BY title")]
    finally:
        connection.close()


class User:
    """Answers each question with the next of its answers."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.asked: list[str] = []

    async def __call__(self, question: Any) -> Any:
        self.asked.append(question.message)
        return self.answers.pop(0)


async def heard(changes: Changes, count: int) -> set[Change]:
    with anyio.fail_after(5):
        return {await anext(changes) for _ in range(count)}


@pytest.mark.parametrize("anyio_backend", [ONE])
@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].elicits])
async def test_a_note_is_written_and_followed_and_deleted_only_after_a_yes(revision: str, file: Path) -> None:
    user = User("decline", "cancel", {"value": "keep"}, {"value": "delete"})
    env = {"NOTES": str(file), "PYTHONPATH": str(SOURCES)}
    async with Client(EXAMPLES / "notes.py", revision=revision, env=env, elicit=user) as client:
        await client.call_tool("write", {"title": "Tea & cake", "text": "Earl Grey"})
        uri = "note://Tea%20%26%20cake"
        async with client.listen(uris=[uri, "notes://all"]) as changes:
            await client.call_tool("write", {"title": "Tea & cake", "text": "Darjeeling"})
            assert await heard(changes, 1) == {ResourceUpdated(uri)}
            assert (await client.read_resource(uri)).contents[0].text == "Darjeeling"  # type: ignore[union-attr]
            for _ in range(3):
                kept = await client.call_tool("delete", {"title": "Tea & cake"})
                assert kept.content[0].text == "The note 'Tea & cake' stays."  # type: ignore[union-attr]
                assert titles(file) == ["Tea & cake"]
            await client.call_tool("delete", {"title": "Tea & cake"})
            assert titles(file) == []
            assert await heard(changes, 2) == {ResourceUpdated(uri), ResourceUpdated("notes://all")}
    assert user.asked == ["Delete the note 'Tea & cake' (10 characters)?"] * 4


@pytest.mark.parametrize("revision", ALL)
async def test_who_cannot_be_asked_deletes_nothing(revision: str, file: Path) -> None:
    async with serving(notes(), revision) as wire:
        await wire.call("write", {"title": "Tea", "text": "Earl Grey"})
        answer = await wire.ask("tools/call", {"name": "delete", "arguments": {"title": "Tea"}})
        assert "elicitation" in str(answer)
        assert ("error" in answer) == (revision in NEW)
    assert titles(file) == ["Tea"]


@pytest.mark.parametrize("revision", ALL)
async def test_notes_are_found_by_all_the_words_newest_first(revision: str, file: Path) -> None:
    async with serving(notes(), revision) as wire:
        for title, text in (("Tea", "100% green"), ("Cake", "no tea"), ("Pie", "apples")):
            await wire.call("write", {"title": title, "text": text})
        for words, limit, expected in (
            ("tea", 10, ["Cake", "Tea"]),
            ("GREEN tea", 10, ["Tea"]),
            ("0%", 10, ["Tea"]),
            ("_", 10, []),
            ("", 1, ["Pie"]),
        ):
            found = await wire.call("search", {"words": words, "limit": limit})
            assert titles_of(found) == expected, words


def titles_of(result: Json) -> list[str]:
    return [note["title"] for note in json.loads(result["content"][0]["text"])]


@pytest.mark.parametrize("revision", ALL)
async def test_titles_complete_themselves_for_the_prompt_and_the_template(revision: str, file: Path) -> None:
    async with serving(notes(), revision) as wire:
        for title in ("Tea", "Tempeh", "Cake"):
            await wire.call("write", {"title": title, "text": "good"})
        refs = [{"type": "ref/prompt", "name": "summarize"}, {"type": "ref/resource", "uri": "note://{title}"}]
        for ref in refs:
            params = {"ref": ref, "argument": {"name": "title", "value": "te"}}
            completion = (await wire.ask("completion/complete", params))["result"]["completion"]
            assert completion["values"] == ["Tea", "Tempeh"]
        got = await wire.ask("prompts/get", {"name": "summarize", "arguments": {"title": "Tea"}})
        assert got["result"]["messages"][0]["content"]["text"].endswith("good")


@pytest.mark.parametrize("revision", ALL)
async def test_a_note_that_is_not_there_is_said_to_be_missing(revision: str, file: Path) -> None:
    async with serving(notes(), revision, {"elicitation": {}}) as wire:
        failed = await wire.call("delete", {"title": "Tea"})
        assert (failed["isError"], failed["content"][0]["text"]) == (True, "There is no note 'Tea'")
        error = await wire.error("resources/read", {"uri": "note://Tea"})
        assert (error["code"], error["data"]) == (-32002 if revision in OLD else -32602, {"uri": "note://Tea"})
