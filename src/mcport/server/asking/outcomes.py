"""What became of a run, as far as its questions go: whoever calls handlers asks here.

Below: `asker`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcport.session.exchange import Exchange

if TYPE_CHECKING:
    from .asker import Asker


def stopped(exchange: Exchange) -> Asker | None:
    """Return who asks for a request, if this run of it is over because of that."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    return None if asker is None or asker.required is None or exchange.cancelled else asker


def why_unanswered(exchange: Exchange, error: Exception) -> str | None:
    """Return in a line why a question was not answered, if a handler failed with exactly that."""
    asker: Asker | None = exchange.asker  # type: ignore[assignment]
    return str(error) if asker is not None and asker.failure is error else None
