"""What happens to an unexpected exception of a handler: a short traceback in the log, an id for whoever asked.

The id stands in both, so that a person who reads the answer finds the log entry. In dev mode all of it is shown.
It knows nothing of tools or methods. Below: nothing of mcport.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final

from .unsendable import ResultUnsendable, ReturnWrong

log: Final = logging.getLogger("mcport.server")

_HOME: Final = str(Path(__file__).parents[2])
_EXAMPLES: Final = str(Path(_HOME, "examples"))
_INSTALLED: Final = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_MOST_FRAMES: Final = 6
_MOST_CAUSES: Final = 3


class Overdue(Exception):
    """The time of a handler was up. The text says how long it was."""


class Faults:
    """Notes faults of handlers for one server. With `dev` they are shown to the other side as well."""

    def __init__(self, dev: bool = False) -> None:
        self.dev = dev

    def text(self, where: str, error: BaseException) -> str:
        """Log a fault and return the text that the other side may read: one line, but in dev mode."""
        trouble = f"error {os.urandom(4).hex()}"
        story = str(error) if isinstance(error, ResultUnsendable) else short_traceback(error)
        log.error("%s failed (%s)\n%s", where, trouble, story)
        if self.dev:
            return f"{where} failed ({trouble})\n{story}"
        if isinstance(error, ResultUnsendable):
            why = "is not what it declares" if isinstance(error, ReturnWrong) else "cannot be sent"
            return f"{where} is at fault: what it returned {why} ({trouble}; the server's log has the details)"
        return f"{where} failed unexpectedly ({trouble}; the server's log has the details)"

    def overdue(self, where: str, error: Overdue) -> str:
        """Log that a handler took too long and return the line that says so to the other side."""
        log.warning("%s was stopped: %s", where, error)
        return f"{where} was stopped: {error}"


def short_traceback(error: BaseException) -> str:
    """Return a traceback that begins with the user's own frames, and leaves mcport's out; the causes in a line each."""
    frames = _telling_frames(error)
    lines = list(_shortened(frames)) + traceback.format_exception_only(error)
    for cause in _causes(error):
        lines.append("because of " + traceback.format_exception_only(cause)[-1])
    if isinstance(error, BaseExceptionGroup):
        lines += ["with " + traceback.format_exception_only(each)[-1] for each in error.exceptions[:_MOST_CAUSES]]
    return "".join(lines).rstrip()


def from_own_code(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins with the user's code; all of it where there is none."""
    part = trace
    while part is not None and _is_foreign(part.tb_frame.f_code.co_filename):
        part = part.tb_next
    return part or trace


def _telling_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames of the error, or of the first cause with any of the user's: Python itself replaces a StopIteration."""
    for each in (error, *_causes(error)):
        frames = _frames(each)
        if any(_is_own(frame) for frame in frames):
            return frames
    return _frames(error)


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]


def _shortened(frames: list[traceback.FrameSummary]) -> Iterator[str]:
    """The last frames of the user's code, and the innermost frame of whatever it called."""
    own = [frame for frame in frames if _is_own(frame)] or frames[-1:]
    shown = own[-_MOST_FRAMES:]
    yield from traceback.format_list(shown)
    if frames and frames[-1] is not shown[-1]:
        between = len(frames) - frames.index(shown[-1]) - 2
        if between:
            yield f"  ... {between} more frames of libraries\n"
        yield from traceback.format_list(frames[-1:])


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(_MOST_CAUSES):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        yield cause
        error = cause


def _is_own(frame: traceback.FrameSummary) -> bool:
    return not _is_foreign(frame.filename)


def _is_foreign(filename: str) -> bool:
    return _is_ours(filename) or filename.startswith(_foreign_places()) or bool(_INSTALLED.search(filename))


@cache
def _foreign_places() -> tuple[str, ...]:
    import sysconfig

    paths = sysconfig.get_paths()
    return (*(paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")), "<frozen")


def _is_ours(filename: str) -> bool:
    return filename.startswith(_HOME) and not filename.startswith(_EXAMPLES)
