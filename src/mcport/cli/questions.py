"""Questions of a server, put to the person at the terminal; without a terminal they are declined.

One at a time, however many come. Below: `form`, `terminal`, the client's callbacks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import anyio

from mcport.client.answering.proposed import Asker
from mcport.spec.types import ElicitRequestFormParams, ElicitRequestURLParams, ElicitResult
from mcport.transports.printable import printable, printable_line

from .form import SKIPPED, Field, fields

DECLINE: Final = "/decline"
CANCEL: Final = "/cancel"


class Person(Protocol):
    """Somebody who reads lines and types lines."""

    def tell(self, line: str) -> None:
        """Show a line."""
        ...

    async def ask(self, prompt: str) -> str | None:
        """Wait for the next line; None where no more will come."""
        ...


class _Refused(Exception):
    """The person does not want to answer; its argument is the action."""


class Questions:
    """Answers what a server asks: `form` and `url` are callbacks of a client. Without a person the answer is no."""

    def __init__(self, person: Person | None, note: Callable[[str], None]) -> None:
        self._person = person
        self._note = note
        self._turn = anyio.Lock()

    async def form(self, question: ElicitRequestFormParams) -> ElicitResult:
        """Have a form filled in."""
        return await self._put(question.message, lambda person: self._form(person, question))

    async def url(self, question: ElicitRequestURLParams, asker: Asker) -> ElicitResult:
        """Show where a page is, in full; it is the person who opens it, and nobody else ever fetches it."""
        return await self._put(question.message, lambda person: self._url(person, question, asker))

    async def _put(self, message: str, answer: Callable[[Person], Awaitable[dict[str, Any] | None]]) -> ElicitResult:
        if self._person is None:
            self._note(f"declined, since stdin is no terminal: {printable_line(message)}")
            return ElicitResult(action="decline")
        async with self._turn:
            self._person.tell(f"The server asks: {printable(message)}")
            try:
                return ElicitResult(action="accept", content=await answer(self._person))
            except _Refused as refused:
                return ElicitResult(action=refused.args[0])

    async def _form(self, person: Person, question: ElicitRequestFormParams) -> dict[str, Any]:
        person.tell(f"(type {DECLINE} to say no, {CANCEL} to leave it open)")
        answers = {field.name: await _field(person, field) for field in fields(question.requested_schema)}
        if not answers:
            await _agreed(person, "Do you agree")
        return {name: value for name, value in answers.items() if value is not SKIPPED}

    async def _url(self, person: Person, question: ElicitRequestURLParams, asker: Asker) -> None:
        person.tell(f"It wants you to open this page yourself:\n  {printable_line(question.url, longest=10_000)}")
        for warning in asker.warnings:
            person.tell(f"  Beware: {printable_line(warning)}")
        await _agreed(person, "Will you open it")


async def _field(person: Person, field: Field) -> Any:
    """Ask for one field until the answer fits it."""
    for line in field.shown():
        person.tell(line)
    while True:
        typed = await _line(person, field.prompt)
        try:
            return field.read(typed)
        except ValueError as error:
            person.tell(f"  {printable_line(str(error))}")


async def _agreed(person: Person, question: str) -> None:
    while True:
        typed = (await _line(person, f"{question}? yes or no: ")).strip().lower()
        if typed in ("y", "yes"):
            return
        if typed in ("n", "no"):
            raise _Refused("decline")


async def _line(person: Person, prompt: str) -> str:
    typed = await person.ask(prompt)
    if typed is None or typed.strip() == CANCEL:
        raise _Refused("cancel")
    if typed.strip() == DECLINE:
        raise _Refused("decline")
    return typed
