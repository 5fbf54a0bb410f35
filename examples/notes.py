"""Notes in an SQLite file: asks before it deletes, completes titles, tells of changes.

    mcport call example:notes write title="Shopping" text="Bread, tea"
    mcport call example:notes delete title="Shopping"
    mcport read example:notes notes://all --env NOTES=other-notes.db

The file is `notes.db` in the directory where the server runs, or the one that the variable NOTES names. `delete` asks
the user first. Whoever listens to this server hears of every change that is made through it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from mcport import Context, Depends, ResourceNotFound, Server, ToolError

FILE = Path(os.environ.get("NOTES", "notes.db"))

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (title TEXT PRIMARY KEY, text TEXT NOT NULL, changed TEXT NOT NULL)"


@asynccontextmanager
async def lifespan(server: Server) -> AsyncIterator[Path]:
    """Make the file ready before the first client is served."""
    with sqlite3.connect(FILE) as database:
        database.execute(SCHEMA)
    database.close()
    yield FILE


server = Server(
    "notes",
    "1.0.0",
    title="Notes",
    instructions="Search before you write: a note of the same title is replaced.",
    lifespan=lifespan,
)


def database() -> Iterator[sqlite3.Connection]:
    """Open the file for one call, and close it after."""
    connection = sqlite3.connect(FILE, check_same_thread=False)  # `delete` uses it on the loop
    connection.row_factory = sqlite3.Row
    try:
        with connection:  # commits, or rolls back where the tool fails
            yield connection
    finally:
        connection.close()


Database = Annotated[sqlite3.Connection, Depends(database)]
opened = contextmanager(database)  # the same by hand, for functions that others call too


@dataclass
class Note:
    """One note."""

    title: str
    text: str
    changed: str

    def holds(self, words: list[str]) -> bool:
        said = f"{self.title} {self.text}".lower()
        return all(word in said for word in words)


def uri_of(title: str) -> str:
    return f"note://{quote(title, safe='')}"


def find(notes: sqlite3.Connection, title: str) -> Note | None:
    row = notes.execute("SELECT * FROM notes WHERE title = ?", (title,)).fetchone()
    return Note(**row) if row else None


@server.tool
def write(title: str, text: str, notes: Database) -> Note:
    """Write a note, or replace the one of this title.

    Args:
        title: what to call it
        text: what it says
    """
    is_new = find(notes, title) is None
    note = Note(title, text, datetime.now(UTC).isoformat(timespec="seconds"))
    notes.execute("REPLACE INTO notes VALUES (?, ?, ?)", (note.title, note.text, note.changed))
    notes.commit()
    changed(title, listed=is_new)
    return note


@server.tool
def search(words: str, notes: Database, limit: int = 10) -> list[Note]:
    """Find notes that contain all the words.

    Args:
        words: what to look for
        limit: at most so many notes
    """
    wanted = words.lower().split()
    rows = notes.execute("SELECT * FROM notes ORDER BY rowid DESC")
    found = (Note(**row) for row in rows)
    return list(islice((note for note in found if note.holds(wanted)), limit))


@server.tool
async def delete(title: str, notes: Database, ctx: Context) -> str:
    """Delete a note, after asking the user.

    Args:
        title: which one
    """
    note = find(notes, title)
    if note is None:
        raise ToolError(f"There is no note {title!r}")
    answer = await ctx.elicit(f"Delete the note {title!r} ({len(note.text)} characters)?", Literal["delete", "keep"])
    if not answer.accepted or answer.data != "delete":
        return f"The note {title!r} stays."
    notes.execute("DELETE FROM notes WHERE title = ?", (title,))
    notes.commit()
    changed(title, listed=True)
    return f"The note {title!r} is gone."


def changed(title: str, *, listed: bool) -> None:
    """Tell who listens."""
    server.notify_resource_updated(uri_of(title))
    if listed:
        server.notify_resource_updated("notes://all")


@server.resource("notes://all")
def titles() -> list[str]:
    """The titles of all notes."""
    with opened() as notes:
        return [row["title"] for row in notes.execute("SELECT title FROM notes ORDER BY title")]


@server.resource("note://{title}", mime_type="text/plain")
def read(title: str) -> str:
    """The text of a note."""
    with opened() as notes:
        note = find(notes, title)
    if note is None:
        raise ResourceNotFound(f"There is no note {title!r}", data={"uri": uri_of(title)})
    return note.text


@server.prompt
def summarize(title: Annotated[str, "which note"]) -> str:
    """Summarize a note."""
    return f"Please summarize this note in one sentence:\n\n{read(title)}"


@server.complete(resource="note://{title}", argument="title")
@server.complete(prompt="summarize", argument="title")
def complete_title(value: str) -> list[str]:
    """The titles that begin with what is typed."""
    return [title for title in titles() if title.lower().startswith(value.lower())]


if __name__ == "__main__":
    server.run()
