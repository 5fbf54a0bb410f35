"""What an authorization server for development keeps in memory: so many of a kind, and no more. Below: nothing."""

from __future__ import annotations

from typing import Final, TypeVar

MOST: Final = 10_000

T = TypeVar("T")


class Kept(dict[str, T]):
    """Values by name, of which the oldest makes room for a new one."""

    def __setitem__(self, name: str, value: T) -> None:
        super().__setitem__(name, value)
        if len(self) > MOST:
            del self[next(iter(self))]
