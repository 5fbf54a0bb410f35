"""What a flow of authorization wants done, step by step, and what came of it.

A flow is a generator: it yields steps and is sent their outcomes. Whoever drives it has the network, the store, the
person and the clock; the flow decides everything and touches nothing. Below: `judging`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import field
from typing import Any, Final, TypeAlias, TypeVar

from mcport.core.jsonrpc import JsonObject, parse_json
from mcport.record import Record

from .judging import Unfit, shown

T = TypeVar("T")

FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
"""The headers of a form that is posted to an authorization server."""

# ---- what is to be done


class Ask(Record):
    """Send a request to an authorization server, or for a document of discovery. `purpose` says what it is for.

    Redirects are followed for documents alone, and only within their origin.
    """

    purpose: str
    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Receive(Record):
    """Be ready for what a browser brings back, where possible at one of the `preferred` URLs."""

    preferred: tuple[str, ...] = ()


class Visit(Record):
    """Lead the person to a page, and wait for what the browser brings back for this `state`."""

    url: str = field(repr=False)
    state: str = field(repr=False)


class Load(Record):
    """Look a key up in the store."""

    key: str


class Save(Record):
    """Keep a value in the store."""

    key: str
    value: str = field(repr=False)


class Drop(Record):
    """Forget a key in the store."""

    key: str


class Obtain(Record):
    """Call something of the program's own, such as the source of an assertion; `purpose` says what it is for."""

    purpose: str
    source: Callable[[], Awaitable[Any]]


Step: TypeAlias = Ask | Receive | Visit | Load | Save | Drop | Obtain

# ---- what came of it


class Answer(Record):
    """An answer over HTTP; names of headers are in lower case, those that came several times stand in one list."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def document(self) -> JsonObject | None:
        """Return the JSON object that it brings, None if it is none."""
        try:
            found = parse_json(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class Listening(Record):
    """A browser can come back, to this URL."""

    redirect_uri: str


class Returned(Record):
    """What a browser brought back: the query of the URL that it was sent to."""

    query: str = field(repr=False)


class NoOutcome(Record):
    """Nothing came of a step; `reason` says why. `passing` is what may go better later."""

    reason: str
    passing: bool = False


Outcome: TypeAlias = Answer | Listening | Returned | NoOutcome | str | None
"""Of `Load` the value, None if there is none. What an `Obtain` brings is sent as it is."""

Steps: TypeAlias = Generator[Step, Any, T]


class Given(Record):
    """What a flow cannot know by itself: the wall clock in seconds, and random bytes."""

    now: Callable[[], float]
    random: Callable[[int], bytes]


class Trail:
    """What was done for one operation, in words that may be shown: never a secret, never what a person brought back."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Remember one line."""
        self.lines.append(line)

    def ask(self, ask: Ask) -> Steps[Answer]:
        """Send a request; return its answer. Raises `Unfit` where none came."""
        outcome = yield ask
        there = _shown(ask.url)
        where = f"{ask.method} {there}"
        if isinstance(outcome, NoOutcome):
            self.note(f"{where}: {outcome.reason}")
            raise Unfit(ask.purpose, f"no answer from {there}: {outcome.reason}", passing=outcome.passing)
        assert isinstance(outcome, Answer)
        self.note(f"{where}: {outcome.status}")
        return outcome


def _shown(url: str) -> str:
    """Return a URL as it may be shown: a challenge may name any, with a password in it."""
    scheme, slashes, rest = url.partition("//")
    authority, slash, path = rest.partition("/")
    return shown(f"{scheme}{slashes}{authority.rpartition('@')[2]}{slash}{path}")
