"""Tracebacks for those who wrote a handler or a callback: they begin with the user's own code, and leave mcport's out.

Loaded with the first exception that is shown. Below: nothing of mcport.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final

_HOME: Final = str(Path(__file__).parents[1])
_EXAMPLES: Final = str(Path(_HOME, "examples"))
_INSTALLED: Final = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_MOST_FRAMES: Final = 6
_MOST_CAUSES: Final = 3


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
