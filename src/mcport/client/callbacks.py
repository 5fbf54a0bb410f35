"""Callbacks: the functions that a host gives its client, and what they make the client able to do.

Those that answer questions (`elicit`, `elicit_url`, `sample`, `roots`, `approve`) may be coroutine functions, which run
on the loop, or plain ones, which run in a thread each, so that `input()` keeps nobody waiting. Those that are only told
something (`progress`, `log`) are called on the loop if they are plain and so must not block. A callback that demands
one argument more is also given the `Asker`. Nothing is called here. Below: the abilities of revisions, `proposed`,
`roots`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from mcport.core.jsonrpc import JsonObject
from mcport.errors import NotDeclared
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

if TYPE_CHECKING:
    from mcport.spec.types import (
        CreateMessageRequestParams,
        CreateMessageResult,
        ElicitRequestFormParams,
        ElicitRequestURLParams,
        ElicitResult,
        LoggingMessageNotificationParams,
    )

    from .answering.proposed import Asker, ProposedCall
    from .answering.roots import RootLike

ROOTS_CHANGED: Final = "notifications/roots/list_changed"

ProgressCallback: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None] | None]
"""Called with the progress, the total if it is known, and a message if there is one."""

LogCallback: TypeAlias = "Callable[[LoggingMessageNotificationParams], Awaitable[object] | object]"
"""Called with each log message of the server: `level`, `data`, and `logger` if it names one."""

FormAnswer: TypeAlias = "ElicitResult | Mapping[str, object] | Literal['decline', 'cancel']"
"""What answers a form: its fields (accepted), a refusal, or a whole result."""

UrlAnswer: TypeAlias = "ElicitResult | bool | Literal['accept', 'decline', 'cancel', 'done']"
"""What answers a web page that is to be opened: whether the user agreed.

"done" says that the user not only agreed, but is through with the page. Where a call cannot be served before that
(2025-11-25, error -32042), it is sent again at once; after any other consent it waits until the server says so, for as
long as it may be silent.
"""

SampleAnswer: TypeAlias = "CreateMessageResult | str"
"""What a model said: a text, or a whole result."""

ByHand: TypeAlias = Literal["by hand"]
"""Stands for a callback of a host that answers by itself: calls with `rounds=0` give it the questions (2026-07-28)."""

BY_HAND: Final[ByHand] = "by hand"

ElicitCallback: TypeAlias = (
    "Callable[[ElicitRequestFormParams], Awaitable[FormAnswer] | FormAnswer]"
    " | Callable[[ElicitRequestFormParams, Asker], Awaitable[FormAnswer] | FormAnswer]"
)
"""Called with a form that the user is to fill in."""

UrlCallback: TypeAlias = (
    "Callable[[ElicitRequestURLParams], Awaitable[UrlAnswer] | UrlAnswer]"
    " | Callable[[ElicitRequestURLParams, Asker], Awaitable[UrlAnswer] | UrlAnswer]"
)
"""Called with a web page that the user is to open, once the user agreed to it."""

SampleCallback: TypeAlias = (
    "Callable[[CreateMessageRequestParams], Awaitable[SampleAnswer] | SampleAnswer]"
    " | Callable[[CreateMessageRequestParams, Asker], Awaitable[SampleAnswer] | SampleAnswer]"
)
"""Called with a conversation that a model is to continue."""

RootsCallback: TypeAlias = (
    "Callable[[], Awaitable[Iterable[RootLike]] | Iterable[RootLike]]"
    " | Callable[[Asker], Awaitable[Iterable[RootLike]] | Iterable[RootLike]]"
)
"""Called when a server wants to know the roots."""

ApproveCallback: TypeAlias = "Callable[[ProposedCall], Awaitable[bool] | bool]"
"""Called with a tool call before it goes out; whether it may."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """A callback for sampling that can do more than the plain one.

        Client("server.py", sample=Sampling(ask_model, tools=True))

    With `tools` servers may offer tools to the model; with `context` they may ask that context of servers be added.
    `model` names the model where the callback returns a mere text.
    """

    callback: SampleCallback | ByHand
    tools: bool = False
    context: bool = False
    model: str = "unknown"


class Callback:
    """A callback that answers something: which arguments it takes, and whether it may block."""

    def __init__(self, function: Callable[..., Any] | ByHand, name: str) -> None:
        self.by_hand = function == BY_HAND
        if function == BY_HAND:
            function = _nobody
        if not callable(function):
            raise TypeError(f"{name} is a function, got {function!r}")
        self.function: Callable[..., Any] = function
        self.name = name
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004  # an object whose __call__ is a coroutine function
        )
        self.demands = _demanded(function)


def _nobody(question: object) -> object:
    raise RuntimeError("it is answered by hand")


def _demanded(function: Callable[..., Any]) -> int:
    """How many positional arguments a function cannot do without."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in positional and each.default is inspect.Parameter.empty for each in parameters)


class Callbacks:
    """All callbacks of one client that answer questions of its server."""

    def __init__(
        self,
        elicit: ElicitCallback | ByHand | None = None,
        elicit_url: UrlCallback | ByHand | None = None,
        sample: SampleCallback | Sampling | ByHand | None = None,
        roots: Iterable[RootLike] | RootsCallback | None = None,
    ) -> None:
        self.elicit = None if elicit is None else Callback(elicit, "elicit")
        self.elicit_url = None if elicit_url is None else Callback(elicit_url, "elicit_url")
        self.sampling = sample if isinstance(sample, Sampling) or sample is None else Sampling(sample)
        self.sample = None if self.sampling is None else Callback(self.sampling.callback, "sample")
        self.find_roots = Callback(roots, "roots") if callable(roots) else None
        self.roots: list[RootLike] | None = None
        if roots is not None and not callable(roots):
            self.set_roots(roots)

    def set_roots(self, roots: Iterable[RootLike]) -> None:
        """Have other roots from now on. Raises ValueError and TypeError for what is none."""
        from .answering.roots import said_roots

        given = roots if isinstance(roots, str | PathLike) else list(roots)
        said_roots(given)
        self.roots = list(given)

    def given(self, name: str, revision: Revision) -> Callback | None:
        """Return a callback that can answer in a revision: by hand only where questions come as results."""
        callback: Callback | None = getattr(self, name)
        return None if callback is not None and callback.by_hand and not revision.asks_by_returning else callback

    def check_by_hand(self, revision: Revision) -> None:
        """Raise `NotDeclared` where a host that answers by hand would never be given a question."""
        given = (self.elicit, self.elicit_url, self.sample)
        by_hand = [each.name for each in given if each is not None and each.by_hand]
        if by_hand and not revision.asks_by_returning:
            raise NotDeclared(
                f"protocol version {revision.name} asks while a call runs, so nothing is answered by hand:"
                f" give {by_hand[0]}= a function, or call without rounds=0"
            )

    def capabilities(self, revision: Revision) -> JsonObject:
        """Return what a client with these callbacks declares in a revision (client/*, "Capabilities")."""
        found: JsonObject = {"elicitation": self._elicitation(revision), "sampling": self._sampling(revision)}
        if self.roots is not None or self.find_roots is not None:
            changes = self.roots is not None and revision.name in METHODS[ROOTS_CHANGED].from_client
            found["roots"] = {"listChanged": True} if changes else {}
        return {name: value for name, value in found.items() if value is not None}

    def _elicitation(self, revision: Revision) -> JsonObject | None:
        if not revision.elicits_url:
            return {} if revision.elicits and self.given("elicit", revision) is not None else None
        modes: JsonObject = {"form": {}} if self.given("elicit", revision) is not None else {}
        if self.given("elicit_url", revision) is not None:
            modes["url"] = {}
        return modes or None

    def _sampling(self, revision: Revision) -> JsonObject | None:
        if self.sampling is None or self.given("sample", revision) is None:
            return None
        found: JsonObject = {}
        if revision.samples_with_tools:
            found |= {name: {} for name in ("tools", "context") if getattr(self.sampling, name)}
        return found
