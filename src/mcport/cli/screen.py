"""What a person sees: plain lines in a pipe, colour and a moving bar on a terminal.

Control characters of the other side are shown, never obeyed.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import Final, TextIO

_COLOURS: Final = {"dim": "2", "bold": "1", "red": "31", "green": "32", "blue": "34"}
_WIDTH: Final = 24


class Screen:
    """Writes to one stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._moving = False
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape.
            stream.reconfigure(errors="backslashreplace")

    def title(self, text: str) -> None:
        """Begin."""
        self._write(self._paint("bold", f"$ {harmless(text)}"))

    def line(self, what: str, text: str, seconds: float | None = None) -> None:
        """Show one step of the conversation, and how long it took."""
        took = "" if seconds is None else self._paint("dim", f"  ({_duration(seconds)})")
        self._write(f"{self._paint('blue', what.ljust(15))} {harmless(text)}{took}")

    def error(self, what: str, text: str, seconds: float) -> None:
        """Show a step that failed, as it should."""
        took = self._paint("dim", f"  ({_duration(seconds)})")
        self._write(f"{self._paint('red', what.ljust(15))} {harmless(text)}{took}")

    def detail(self, head: str, text: str) -> None:
        """Show something that belongs to the line before."""
        self._write(f"{'':15} {harmless(head)}  {self._paint('dim', harmless(text))}")

    def message(self, direction: str, data: bytes) -> None:
        """Show a message as it was on the wire."""
        colour = "green" if direction == "->" else "dim"
        # In the middle of the conversation nobody could act on a reader that has gone; the next plain line tells.
        with suppress(BrokenPipeError):
            self._write(f"{self._paint(colour, direction)} {harmless(data.decode('utf-8', 'replace'))}")

    def bar(self, progress: float, total: float | None, message: str | None) -> None:
        """Show progress: a bar that moves on a terminal, a line each in a pipe."""
        filled = round(_share(progress, total) * _WIDTH)
        text = f"{'':15} [{'#' * filled}{'.' * (_WIDTH - filled)}] {harmless(message or '')}".rstrip()
        if self._terminal:
            self._stream.write(f"\r\x1b[2K{text}")
            self._stream.flush()
            self._moving = True
        else:
            self._write(text)

    def _write(self, text: str) -> None:
        start = "\r\x1b[2K" if self._moving else ""
        self._moving = False
        self._stream.write(f"{start}{text}\n")
        self._stream.flush()

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._terminal else text


def harmless(text: str) -> str:
    """Return text whose control characters are visible and do nothing."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _share(progress: float, total: float | None) -> float:
    """Return how much is done, from 0 to 1, whatever numbers a server says."""
    try:
        return max(0.0, min(progress / total, 1.0)) if total else 0.0
    except OverflowError:  # whole numbers may be of any size
        return 0.0


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
