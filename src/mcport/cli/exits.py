"""What the exit codes of the command say.

Programs that run it decide by them; the line on stderr is for people. Below: the errors.
"""

from __future__ import annotations

from typing import Final

from mcport.errors import ConnectFailed, ConnectionLost, ConversationError, McportError, NotDeclared, Timeout

from .usage import UsageError

DONE: Final = 0
FAILED: Final = 1
"""A tool says that it failed (`isError`), a file of the user cannot be loaded, a port is taken, or nobody takes
the output."""
WRONGLY_CALLED: Final = 2
"""The command line asks for something that is not there."""
NOT_CONNECTED: Final = 3
"""The server did not start, did not answer in time, or speaks no common revision."""
REFUSED: Final = 4
"""The server answered with an error, with something that is no answer, or does not offer what was asked for."""
LOST: Final = 5
"""The server died, or was silent for too long, after the conversation had begun."""
INTERRUPTED: Final = 130
"""Ctrl-C."""

EXPLAINED: Final = (
    "exit codes: 0 done, 1 the tool failed, 2 wrong command line, 3 no connection, 4 an error of the server,"
    " 5 connection lost or time-out, 130 Ctrl-C"
)


def exit_code(error: McportError) -> int:
    """Return the exit code for an error that ends a command."""
    if isinstance(error, UsageError):
        return WRONGLY_CALLED
    if isinstance(error, ConnectFailed) or (isinstance(error, Timeout) and error.phase == "connecting"):
        return NOT_CONNECTED
    if isinstance(error, ConnectionLost | Timeout):
        return LOST
    return REFUSED if isinstance(error, ConversationError | NotDeclared) else FAILED
