"""What the typed calls are made of: the seam between the generated `calls` and the client.

Below: nothing but the types of its parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mcport.core.jsonrpc import JsonObject

from .callbacks import ProgressCallback
from .paging import Walk
from .timing import Seconds


class Caller(ABC):
    """Something that can send requests of the method table."""

    _progress: ProgressCallback | None = None
    """Called with the progress of calls that name no callback of their own."""

    @abstractmethod
    async def _call(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None = None,
        rounds: int | None = None,
    ) -> Any:
        """Send a request of the method table and return its typed result; with 0 rounds it may be questions."""

    @abstractmethod
    async def _recall(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        fresh: bool,
        progress: ProgressCallback | None = None,
        rounds: int | None = None,
    ) -> Any:
        """The same for a result that may be kept; one that is still good is returned, unless it is to be `fresh`."""

    @abstractmethod
    def _walk(self, method: str, member: str, timeout: Seconds, meta: JsonObject | None, fresh: bool) -> Walk[Any]:
        """Return the walk through all pages of a list; `member` of each page holds its items."""

    @abstractmethod
    def _dumped(self, params: str, **values: object) -> JsonObject:
        """Return parameters that hold models, as they are said in the revision that is spoken."""
