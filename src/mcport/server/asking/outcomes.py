"""What became of a run, as far as its questions go: whoever calls handlers asks here.

Below: `asker`, `core.asking.rounds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcport.session.exchange import Exchange

if TYPE_CHECKING:
    from mcport.core.asking.rounds import Mark

    from .asker import Asker


def stopped(exchange: Exchange) -> Asker | None:
    """Return who asks for a request, if this run of it is over because of that."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    return None if asker is None or asker.required is None or exchange.cancelled else asker


def why_unanswered(exchange: Exchange, error: Exception) -> str | None:
    """Return in a line why a question was not answered, if a handler failed with exactly that."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    return str(error) if asker is not None and asker.failure is error else None


def mark_of(exchange: Exchange) -> Mark | None:
    """Return which names of questions are used up before a handler runs that may be run again."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    return None if asker is None else asker.rounds.mark()


def back_to(exchange: Exchange, mark: Mark | None) -> None:
    """The run is over: who runs the handler once more within the request finds the names free again."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    if asker is not None:
        asker.rounds.back_to(mark)
