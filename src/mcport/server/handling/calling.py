"""Running a handler: on the loop or in a worker thread, with its context, stoppable from outside.

Tools, resources and prompts all run here. What comes out is a value or an `Exception`: a handler that tries to end the
program, or lets out a cancellation that nobody asked for, has failed like any other. Below: `session`, `living`.
"""

from __future__ import annotations

import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, Self

import anyio

from mcport.core.dialects.contract import Admitted
from mcport.errors import InternalError
from mcport.server.asking.outcomes import stopped
from mcport.server.living import Life
from mcport.server.signature import Signature
from mcport.session.exchange import Exchange

from .context import Context


class HandlerQuit(Exception):
    """A handler let out something that is no `Exception` and would have ended more than its own request."""


class ThreadedHandler(ABC):
    """What is called in place of a `def` handler where something must be awaited first: it calls that in a thread."""

    @abstractmethod
    async def __call__(self, **arguments: Any) -> Any:
        """Await what is to be awaited, and call the handler."""

    @abstractmethod
    def through(self, run: Callable[..., Any]) -> Self:
        """Return the same, with `run(handler, **arguments)` in place of the handler's call in its thread."""


class Call(Protocol):
    """Calls a handler with bound arguments, as `call` does, which others stand around: with limits, or needs."""

    async def __call__(
        self,
        function: Callable[..., Any],
        signature: Signature,
        arguments: dict[str, Any],
        exchange: Exchange,
        admitted: Admitted,
    ) -> Any: ...


async def call(
    function: Callable[..., Any],
    signature: Signature,
    arguments: dict[str, Any],
    exchange: Exchange,
    admitted: Admitted,
) -> Any:
    """Call a handler with bound arguments and return its value; what it raises comes out as an `Exception`.

    A cancelled request comes out as the loop's cancellation, or as None where its handler was stopped by it; a run that
    asked and is to be repeated as `InputRequired`, whatever became of the handler.
    """
    if signature.context_parameter is not None:
        arguments[signature.context_parameter] = context_of(exchange, admitted)
    value = None
    try:
        if not signature.is_async:
            value = await in_thread(partial(function, **arguments), exchange)
        elif not signature.may_suspend:
            # Without an await in it nothing can reach it before it is done: it needs no scope to be stopped by.
            value = await function(**arguments)
        else:
            with exchange.outlet.loop.scope() as scope:
                exchange.stop = scope.cancel
                if exchange.cancelled:
                    scope.cancel()
                value = await function(**arguments)
    except Exception as error:
        if (asker := stopped(exchange)) is not None:
            return asker.outcome(error)
        raise
    except BaseException as error:
        if is_wanted(error, exchange):
            raise
        if not isinstance(error, KeyboardInterrupt) and (asker := stopped(exchange)) is not None:
            return asker.outcome(error)
        raise let_out(error, signature.is_async) from None
    if exchange.asker is not None and (asker := stopped(exchange)) is not None:
        return asker.outcome(None)
    return value


def context_of(exchange: Exchange, admitted: Admitted) -> Context[Any]:
    """Return what a handler, or a check that belongs to one, may know of its request."""
    return Context(exchange, admitted, life_of(exchange).lifespan)


async def in_thread(run: Callable[[], Any], exchange: Exchange) -> Any:
    """Run a plain function in a worker thread; None once the exchange is cancelled, which stops waiting for it."""
    value: Any = await life_of(exchange).workers.run(run, exchange)
    # A plain function around a coroutine function, as simple decorators make them, returns what is to be awaited.
    return await _finish(value, exchange) if hasattr(type(value), "__await__") else value


async def _finish(value: Awaitable[Any], exchange: Exchange) -> Any:
    with exchange.outlet.loop.scope() as scope:
        exchange.stop = scope.cancel
        if exchange.cancelled:
            scope.cancel()
        return await value
    return None


def life_of(exchange: Exchange) -> Life:
    """Return the life in which a request is answered. Raises `InternalError` when it is over."""
    life: Life | None = getattr(exchange.conversation, "life", None)
    if life is None:
        raise InternalError("the server is shutting down")
    return life


def is_wanted(error: BaseException, exchange: Exchange) -> bool:
    """Whether a handler's task is to end with this: it was cancelled from outside, or is being thrown away.

    A task of asyncio counts who cancelled it; elsewhere cancellation comes from outside always. (A handler that awaits
    a task of its own, which was cancelled, gets a cancellation that is none of this request's.) It is the task that
    runs the handler which counts: under a time-out, and for a thread that waits, that is not the request's own one.
    """
    try:
        cancelled = anyio.get_cancelled_exc_class()
    except RuntimeError:
        return True  # no task runs: the handler's one is being thrown away
    if not isinstance(error, cancelled):
        return False
    asyncio = sys.modules.get("asyncio")
    if exchange.cancelled or asyncio is None or not isinstance(error, asyncio.CancelledError):
        return True
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def let_out(error: BaseException, on_loop: bool) -> HandlerQuit:
    """Return what stands for something that is no `Exception` and came out of a handler, or of what stands around it.

    A Ctrl-C that happened to strike there, on the loop, is meant for the program: it is sent where signals go.
    """
    if isinstance(error, KeyboardInterrupt) and on_loop:
        signal.raise_signal(signal.SIGINT)
    reason = f"it let out {type(error).__name__}" + (f": {error}" if str(error) else "")
    return HandlerQuit(reason).with_traceback(error.__traceback__)
