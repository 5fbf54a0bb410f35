"""Listeners come, go, follow, stall and read again while changes come in: nobody misses one, nobody hears too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from mcport.core.dialects.listening import KINDS, RESOURCE_UPDATED, Topic
from mcport.core.jsonrpc import Notification
from mcport.core.limits import SERVER_LIMITS
from mcport.server.telling.audience import Audience, Listener
from mcport.server.telling.notice import Notice

NAMES = st.sampled_from("ab")


class Turns:
    """A loop whose turns the test takes."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.tasks: list[Coroutine[Any, Any, None]] = []

    def soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    soon_from_thread = soon

    def keep(self, run: Coroutine[Any, Any, None]) -> None:
        run.send(None)  # it waits until the reader has read
        self.tasks.append(run)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()

    def wake(self) -> None:
        """Let every task look whether it may go on."""
        for task in self.tasks[:]:
            try:
                task.send(None)
            except StopIteration:
                self.tasks.remove(task)


class Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


class Client:
    """One listener with what it follows, what it has to hear of still, and how many changes that may be told as."""

    def __init__(self, turns: Turns, audience: Audience, names: set[str], faults: list[str]) -> None:
        self.loop: Any = turns
        self.full = False
        self.faults = faults
        self.owed: set[str] = set()
        self.changes: Counter[str] = Counter()
        self.follows = set(names)
        self.gone = False
        self.listener: Listener = audience.join(self, topics(names), self._make_out)

    def _make_out(self, notice: Notice) -> Notification:
        return Notification(notice.method, notice.params)

    async def ask(self, *question: Any, **waiting: Any) -> Any:
        raise AssertionError

    def answer_instead(self, exchange: Any, answer: Any) -> None:
        raise AssertionError

    def tell(self, notification: Any) -> None:
        name = notification.params["uri"]
        faults = {
            "it was told of something after it had gone": self.gone,
            "it was told of something that it does not follow": name not in self.follows,
            "it was told of more changes than there were": self.changes[name] == 0,
            "it was told something while it could take no more": self.full,
        }
        self.faults += [fault for fault, found in faults.items() if found]
        self.owed.discard(name)
        self.changes[name] -= 1

    async def drained(self) -> None:
        while self.full:
            await Pause()


def topics(names: set[str]) -> list[Topic]:
    return [(RESOURCE_UPDATED, name) for name in sorted(names)]


class Listeners(RuleBasedStateMachine):
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        loop: Any = self.turns
        self.audience = Audience(loop, SERVER_LIMITS, {kind.method: kind for kind in KINDS})
        self.all: list[Client] = []
        self.faults: list[str] = []

    @rule(target=clients, names=st.sets(NAMES, min_size=1))
    def comes(self, names: set[str]) -> Client:
        self.turns.turn()  # changes of before are no business of newcomers
        self.turns.turn()
        self.all.append(Client(self.turns, self.audience, names, self.faults))
        return self.all[-1]

    @rule(client=consumes(clients))
    def goes(self, client: Client) -> None:
        client.listener.close()
        client.gone = True
        client.owed.clear()
        self.all.remove(client)
        client.full = False
        self.turns.wake()

    @rule(client=clients, name=NAMES)
    def follows(self, client: Client, name: str) -> None:
        self.turns.turn()
        self.turns.turn()
        client.listener.follow(topics({name}))
        client.follows.add(name)

    @rule(client=clients, name=NAMES)
    def follows_no_more(self, client: Client, name: str) -> None:
        client.listener.leave((RESOURCE_UPDATED, name))
        client.follows.discard(name)
        client.owed.discard(name)
        client.changes[name] = 0

    @rule(name=NAMES)
    def changes(self, name: str) -> None:
        self.changes_now(name)

    def changes_now(self, name: str) -> None:
        self.audience.hear(Notice(RESOURCE_UPDATED, {"uri": name}, (RESOURCE_UPDATED, name), merges=True))
        for client in self.all:
            if name in client.follows:
                client.owed.add(name)
                client.changes[name] += 1

    @rule(client=clients, name=NAMES)
    def stalls_while_something_changes(self, client: Client, name: str) -> None:
        client.full = True
        self.changes_now(name)
        self.turns.turn()
        self.turns.turn()

    @rule(client=clients)
    def reads(self, client: Client) -> None:
        client.full = False
        self.turns.wake()

    @rule()
    def time_passes(self) -> None:
        self.turns.turn()
        self.turns.turn()
        for client in self.all:
            assert client.full or not client.owed, "it was not told of a change"
            if not client.full:
                client.changes.clear()

    @invariant()
    def nobody_was_told_too_much(self) -> None:
        assert not self.faults

    @invariant()
    def nobody_is_kept_who_is_gone(self) -> None:
        assert len(self.audience) == len(self.all)
        assert set(self.audience._by_topic) == {topic for each in self.all for topic in topics(each.follows)}

    def teardown(self) -> None:
        for task in self.turns.tasks:
            task.close()


TestListeners = Listeners.TestCase
TestListeners.settings = settings(max_examples=80, stateful_step_count=60, deadline=None)
