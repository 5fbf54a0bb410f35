"""The coroutines of `Context` for `def` handlers: twins that block their worker thread until all is done.

Each twin takes and returns what its coroutine does, and raises what it raises. Below: `speaks`, `session.crossing`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from mcport.session.crossing import Back, cross

if TYPE_CHECKING:
    from mcport.server.asking.posing import Check
    from mcport.server.asking.questions import Asking, Elicited
    from mcport.server.asking.sampling import Said, SampleOptions
    from mcport.spec.types import BlobResourceContents, CreateMessageResult, Root, TextResourceContents

    from .speaks import Speaks

T = TypeVar("T")


class Blocking:
    """What `Context.blocking` is: `ctx.blocking.elicit(...)` in a `def` handler for `await ctx.elicit(...)`.

    For worker threads: on a thread that runs an event loop every call raises RuntimeError. A withdrawn request ends the
    handler at the next call, with an exception that is no `Exception`; so does a question that is answered in a later
    round, with which the handler is run again from its beginning.
    """

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Speaks) -> None:
        self._ctx = ctx

    def _wait(self, work: Callable[[Back], Coroutine[Any, Any, T]]) -> T:
        exchange = self._ctx._exchange
        return cross(work, exchange.outlet.loop, exchange)

    def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the request has come; see `Context.report_progress`."""
        self._wait(lambda back: self._ctx.report_progress(progress, total, message))

    def close_stream(self, retry: float | None = None) -> None:
        """Let the client hang up until the answer is there; see `Context.close_stream`."""
        self._wait(lambda back: self._ctx.close_stream(retry))

    def log(self, level: str, data: Any, logger: str | None = None) -> None:
        """Send the client a log message; see `Context.log`."""
        self._wait(lambda back: self._ctx.log(level, data, logger))

    def debug(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `debug`."""
        self.log("debug", data, logger)

    def info(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `info`."""
        self.log("info", data, logger)

    def warning(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `warning`."""
        self.log("warning", data, logger)

    def error(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `error`."""
        self.log("error", data, logger)

    def read_resource(self, uri: str) -> list[TextResourceContents | BlobResourceContents]:
        """Read a resource of this server; see `Context.read_resource`."""
        return self._wait(lambda back: self._ctx.read_resource(uri))

    @overload
    def elicit(self, message: str, schema: None = None, *, key: str | None = None) -> Elicited[None]: ...
    @overload
    def elicit(self, message: str, schema: type[T], *, key: str | None = None) -> Elicited[T]: ...
    @overload
    def elicit(self, message: str, schema: Any, *, key: str | None = None) -> Elicited[Any]: ...
    def elicit(self, message: str, schema: Any = None, *, key: str | None = None) -> Elicited[Any]:
        """Ask the user to fill in a form; see `Context.elicit`."""
        found: Elicited[Any] = self._wait(lambda back: self._ctx.elicit(message, schema, key=key))
        return found

    def elicit_url(
        self,
        message: str,
        url: str,
        *,
        until: Check | None = None,
        key: str | None = None,
        elicitation_id: str | None = None,
    ) -> Elicited[None]:
        """Send the user to a URL; see `Context.elicit_url`. A plain `until` is called in this thread."""

        def ask(back: Back) -> Coroutine[Any, Any, Elicited[None]]:
            check = None if until is None else _in_thread(until, back)
            return self._ctx.elicit_url(message, url, until=check, key=key, elicitation_id=elicitation_id)

        return self._wait(ask)

    def sample(
        self, messages: Said | Sequence[Said], *, key: str | None = None, **options: Unpack[SampleOptions]
    ) -> CreateMessageResult:
        """Have the client's model go on with a conversation; see `Context.sample`."""
        return self._wait(lambda back: self._ctx.sample(messages, key=key, **options))

    def list_roots(self, *, key: str | None = None) -> list[Root]:
        """Return the directories and files that the client works in; see `Context.list_roots`."""
        return self._wait(lambda back: self._ctx.list_roots(key=key))

    def ask_all(self, **questions: Asking) -> dict[str, Any]:
        """Ask several questions at once; see `Context.ask_all`."""
        return self._wait(lambda back: self._ctx.ask_all(**questions))

    def once(self, key: str, function: Callable[[], Any], type: Any = None, *, one_time: bool = False) -> Any:
        """Do something once although the handler may be run several times; see `Context.once`.

        A plain function is called in this thread.
        """
        return self._wait(lambda back: self._ctx.once(key, _in_thread(function, back), type, one_time=one_time))


def _in_thread(function: Callable[[], Any], back: Back) -> Callable[[], Any]:
    """Return what has the waiting thread call a function; a coroutine function stays what it is."""
    if inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def call() -> Any:
        value = await back(function)
        return await value if inspect.isawaitable(value) else value

    return call
