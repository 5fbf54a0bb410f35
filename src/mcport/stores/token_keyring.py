"""Tokens in the keyring of the person's system, which the package `keyring` reaches (`pip install 'mcport[keyring]'`).

A keyring may ask the person to be unlocked and is slow, so it is spoken with in a thread. Below: `keyring`, loaded with
the first store.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any, Final

from anyio import to_thread

SERVICE: Final = "mcport"


class KeyringTokens:
    """Keeps each key as an entry of the keyring, under the name of a `service`.

    Raises ImportError with what to install, and whatever a keyring raises that is not there or stays locked.
    """

    def __init__(self, service: str = SERVICE) -> None:
        try:
            self._keyring: Any = importlib.import_module("keyring")
        except ImportError:
            raise ImportError("the package keyring is missing: pip install 'mcport[keyring]'") from None
        self._service = service

    def __repr__(self) -> str:
        return f"KeyringTokens({self._service!r})"

    async def get(self, key: str) -> str | None:
        found: str | None = await to_thread.run_sync(self._keyring.get_password, self._service, key)
        return found

    async def set(self, key: str, value: str) -> None:
        await to_thread.run_sync(self._keyring.set_password, self._service, key, value)

    async def delete(self, key: str) -> None:
        await to_thread.run_sync(self._delete, key)

    def _delete(self, key: str) -> None:
        with suppress(self._keyring.errors.PasswordDeleteError):  # there is none
            self._keyring.delete_password(self._service, key)
