"""What breaks out of a callback of the host: it fails what the callback was called for, and stands in the host's log.

Anything else would make a difference between the loops: on one a `SystemExit` would end the program, on the other the
connection. An interrupt (Ctrl-C) is the user's: it reaches the program's main thread, as if it had been typed there.
Below: `session`.
"""

from __future__ import annotations

import _thread
import logging
from typing import Final

from mcport.session.loop import Loop
from mcport.session.tracebacks import from_own_code

log: Final = logging.getLogger("mcport.client")


class Outbreak(RuntimeError):
    """What stands for an exception that is no error, such as an exit of the program; that one is the cause."""


def ends_here(error: BaseException, loop: Loop) -> bool:
    """Whether an exception is the end of this very task, and so none of the callback's."""
    return loop.stops_here(error)


def pass_on(error: BaseException) -> None:
    """Interrupt the program, if that is what an exception wants; it arrives as a typed Ctrl-C does."""
    if isinstance(error, KeyboardInterrupt):
        _thread.interrupt_main()


def report(what: str, error: BaseException) -> None:
    """Log that a callback failed, with a traceback that begins in the host's code."""
    if isinstance(error, Outbreak) and error.__cause__ is not None:
        error = error.__cause__
    trace = from_own_code(error.__traceback__)
    log.error("%s failed", what, exc_info=(type(error), error.with_traceback(trace), trace))
