"""Values that must not show: tokens, client secrets, verifiers.

Nothing that prints, logs, formats, pickles or compares by accident gets at one; whoever sends it says so. Below: the
standard library.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import NoReturn


class Secret:
    """A text that no repr, log, traceback or pickle shows; `reveal` returns it to whoever has to send or keep it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
