"""What clients tell without being asked: notifications, for middleware and for whoever registered to hear them.

Each is heard in a task of its own, begun in the order in which they came; nothing waits for it and nobody is answered.
Below: `middleware`, `faults`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import anyio

from mcport.core.events import Told
from mcport.server.handling.calling import let_out
from mcport.server.results.faults import Faults
from mcport.session.loop import Loop
from mcport.spec.revisions import Revision

from .middleware import Middlewares

if TYPE_CHECKING:
    from .requests import ClientNotification

log: Final = logging.getLogger("mcport.server")

Hear: TypeAlias = "Callable[[ClientNotification], Awaitable[None]]"


class Hearing:
    """Hears what clients tell one server. `handler` returns who is registered for a method, if anybody is."""

    def __init__(
        self, middlewares: Middlewares, handler: Callable[[str, Revision | None], Hear | None], faults: Faults
    ) -> None:
        self._middlewares = middlewares
        self._handler = handler
        self._faults = faults
        self._running: dict[object, object] = {}
        """The tasks in which something is being heard: loops do not keep their tasks."""

    def take(self, event: Told, loop: Loop, revision: Revision | None) -> None:
        """Have a notification heard, if anybody hears it; `revision` is the session's, if there is one. Never waits."""
        handler, hooks = self._handler(event.method, revision), self._middlewares.hears()
        if handler is None and not hooks:
            log.debug("ignored notification %s", event.method)
            return
        from .chain import joined
        from .requests import ClientNotification

        hear = joined(hooks, handler or _nobody)
        key = object()
        self._running[key] = loop.spawn(self._hear(hear, ClientNotification(event.method, dict(event.params)), key))

    async def _hear(self, hear: Callable[[Any], Awaitable[None]], notice: ClientNotification, key: object) -> None:
        try:
            await hear(notice)
        except Exception as error:
            self._failed(notice, error)
        except (GeneratorExit, anyio.get_cancelled_exc_class()):
            raise
        except BaseException as error:
            self._failed(notice, let_out(error, on_loop=True))
        finally:
            del self._running[key]

    def _failed(self, notice: ClientNotification, error: Exception) -> None:
        """Log what went wrong; there is nobody to be told."""
        self._faults.text(f"The notification {notice.method}", error)


async def _nobody(notice: ClientNotification) -> None:
    """Nobody is registered for this notification."""
