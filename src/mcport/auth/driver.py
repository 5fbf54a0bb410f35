"""Driving a flow for real: each step is taken on the network, in the store, with the person, and its outcome sent back.

However many requests want authorization at once, one flow runs for all of them, in a task of its own: whoever is
cancelled while waiting takes nothing from the others, and once nobody waits it ends. Below: `flow`, `fetch`, `person`.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeVar

import anyio

from mcport.errors import AuthFailed
from mcport.record import Record
from mcport.session.loop import current_loop, loop_token
from mcport.stores.tokens import SharedTokenStore, TokenStore

from .fetch import Fetcher
from .person import Manners, Person
from .steps import Ask, Drop, Load, NoOutcome, Obtain, Receive, Save, Step, Steps, Visit
from .tokens import Tokens

T = TypeVar("T")


class Patient(Protocol):
    """Something that measures how long a server takes; it is held while a person is asked for something."""

    def hold(self) -> None: ...
    def release(self) -> None: ...


class Means(Record):
    """What a flow is driven with. `private` lets documents lead to private networks."""

    store: TokenStore
    manners: Manners
    private: bool = False


class Driver:
    """Runs the flows of one server, one at a time."""

    def __init__(self, server: str, means: Means, patients: Iterable[Patient]) -> None:
        self._patients = patients
        self._server = server
        self._means = means
        self._running: Running | None = None

    async def shared(self, steps: Callable[[], Steps[Tokens | None]]) -> Tokens | None:
        """Return what a flow brings: the one that runs already, or this one. Raises `AuthFailed`."""
        running = self._running
        if running is None or running.over or running.token != loop_token():
            running = self._running = Running(lambda: self._run_alone(steps))
            current_loop().keep(running.run())
        return await running.wait()

    async def _run_alone(self, steps: Callable[[], Steps[Tokens | None]]) -> Tokens | None:
        """Run a flow while no other process runs one, where the store can see to that."""
        store = self._means.store
        if not isinstance(store, SharedTokenStore):
            return await self.run(steps())
        async with store.alone(self._server):
            return await self.run(steps())

    async def run(self, steps: Steps[T]) -> T:
        """Run a flow to its end and return what it brings. Raises `AuthFailed`."""
        person = Person(self._means.manners)
        outcome: Any = None
        try:
            async with Fetcher(self._server, private=self._means.private) as fetcher:
                while True:
                    step = steps.send(outcome)
                    outcome = await self._outcome(step, fetcher, person)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            steps.close()
            await person.aclose()

    async def _outcome(self, step: Step, fetcher: Fetcher, person: Person) -> object:
        store = self._means.store
        match step:
            case Ask():
                return await fetcher.fetch(step)
            case Receive():
                return await person.receive(step)
            case Visit():
                return await self._patiently(person.visit(step))
            case Obtain():
                return await self._patiently(_obtained(step))
            case Load():
                return await store.get(step.key)
            case Save():
                await store.set(step.key, step.value)
            case Drop():
                await store.delete(step.key)
        return None

    async def _patiently(self, asking: Awaitable[T]) -> T:
        """Ask a person, while the time of servers stands still."""
        held = tuple(self._patients)
        for each in held:
            each.hold()
        try:
            return await asking
        finally:
            for each in held:
                each.release()


async def _obtained(step: Obtain) -> object:
    try:
        return await step.source()
    except Exception as error:
        return NoOutcome(f"the program's own source failed: {type(error).__name__}: {error}")


class Running:
    """One flow on its way, and those who wait for it."""

    def __init__(self, begin: Callable[[], Awaitable[Tokens | None]]) -> None:
        self.token = loop_token()
        self.over = False
        self._begin = begin
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        self._waiting = 0
        self._tokens: Tokens | None = None
        self._error: BaseException | None = None

    async def run(self) -> None:
        """Run it in a task of its own; nothing goes out but through `wait`."""
        try:
            with self._scope:
                self._tokens = await self._begin()
        except Exception as error:
            self._error = error
        finally:
            self.over = True
            self._ended.set()

    async def wait(self) -> Tokens | None:
        """Wait for its end and return what it brought. The last one who leaves ends it."""
        self._waiting += 1
        try:
            await self._ended.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not self.over:
                self.over = True
                self._scope.cancel()
        if self._error is not None:
            # Each has a traceback of its own.
            raise copy.copy(self._error) if isinstance(self._error, AuthFailed) else self._error
        return self._tokens
