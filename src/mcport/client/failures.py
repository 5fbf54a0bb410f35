"""How it is told that a conversation failed: one line that names the server, the phase and the cause.

It knows what is left of a server that is gone (its exit code, the end of its stderr, the exception of one in this
process), not how any of that was found out. Below: the errors.
"""

from __future__ import annotations

import signal
from typing import TypeVar

from mcport.core.jsonrpc import JsonObject
from mcport.errors import ConnectFailed, ConnectionLost, ConversationError, ExtensionAnswered, Timeout
from mcport.record import Record

ErrorT = TypeVar("ErrorT", bound=ConversationError)


class Remains(Record):
    """What a server left behind, as far as it has ended."""

    exit_code: int | None = None
    stderr: str = ""
    error: BaseException | None = None

    def cause(self, otherwise: str) -> str:
        """Return why the conversation is over; `otherwise` is what the connection itself has seen."""
        if self.error is not None:
            return f"it failed: {plain(self.error)}"
        return otherwise if self.exit_code is None else f"it {ended(self.exit_code)}"

    def last_words(self) -> str:
        """Return the end of an error's line: the last line of stderr, if there is one."""
        lines = [line for line in self.stderr.splitlines() if line.strip()]
        return f". Last stderr: {lines[-1].strip()}" if lines else ""


class Failures(Record):
    """Makes the errors of one conversation. `server` is how the user named the other side."""

    server: str

    def lost(self, phase: str, reason: str, remains: Remains, subject: str | None = None) -> ConnectionLost:
        """Return the error for a call that was pending, or came, when the conversation was over.

        `subject` says which call of the phase it was.
        """
        cause = remains.cause(reason)
        error = ConnectionLost(
            f"{subject or phase} on server '{self.server}': connection lost, {cause}{remains.last_words()}",
            server=self.server,
            phase=phase,
            cause=cause,
        )
        return _explained(error, remains)

    def died(self, reason: str, remains: Remains) -> ConnectFailed:
        """Return the error for a server that ended before it had answered."""
        code = remains.exit_code
        if code is None:
            return self.failed(remains.cause(reason), remains)
        cause = f"{ended(code)} before it answered"
        line = f"Server '{self.server}' {cause}{remains.last_words()}"
        return _explained(ConnectFailed(line, server=self.server, phase="connecting", cause=cause), remains)

    def failed(self, reason: str, remains: Remains) -> ConnectFailed:
        """Return the error for a conversation that never began."""
        line = f"Cannot connect to server '{self.server}': {reason}{remains.last_words()}"
        return _explained(ConnectFailed(line, server=self.server, phase="connecting", cause=reason), remains)

    def unreachable(self, reason: str) -> ConnectFailed:
        """Return the error for a URL where nothing answers."""
        line = f"Cannot reach {self.server}: {reason}"
        return ConnectFailed(line, server=self.server, phase="connecting", cause=reason)

    def turned_away(self, cause: str) -> ConnectFailed:
        """Return the error for a URL where something answers, but no MCP server, or not to us."""
        return ConnectFailed(f"{self.server} {cause}", server=self.server, phase="connecting", cause=cause)

    def silent(self, waited_for: str, seconds: float, remains: Remains) -> Timeout:
        """Return the error for a server that did not answer in time while the conversation was opened."""
        cause = f"no answer to {waited_for} within {seconds:g} s"
        line = f"Cannot connect to server '{self.server}': {cause}{remains.last_words()}"
        return _explained(Timeout(line, server=self.server, phase="connecting", cause=cause), remains)

    def too_often(self, most: int, remains: Remains, reason: str = "the connection was lost") -> ConnectFailed:
        """Return the error for a server that died again however often it was started."""
        cause = remains.cause(reason)
        times = "once" if most == 1 else f"{most} times"
        line = (
            f"Server '{self.server}' was started again {times} and did not stay: {cause}{remains.last_words()}"
            " (connect() tries anew)"
        )
        return _explained(ConnectFailed(line, server=self.server, phase="restarting", cause=cause), remains)

    def not_back(self, phase: str, seconds: float, subject: str | None = None) -> Timeout:
        """Return the error for a call that waited in vain for a server that is being started again."""
        cause = f"the server had died and was not back within {seconds:g} s"
        line = f"{subject or phase} on server '{self.server}': {cause}"
        return Timeout(line, server=self.server, phase=phase, cause=cause)

    def extended(self, method: str, subject: str, result: JsonObject) -> ExtensionAnswered:
        """Return the error for a result of a type that an extension added."""
        kind = result["resultType"]
        members = {name: value for name, value in result.items() if name != "resultType"}
        cause = f"the result is of type {kind!r}, which an extension added"
        line = f"{subject} on server '{self.server}': {cause}"
        return ExtensionAnswered(line, kind=kind, members=members, server=self.server, phase=method, cause=cause)

    def badly_closed(self, error: BaseException) -> ConversationError:
        """Return the error for a server in this process that failed while it was ending."""
        cause = f"it failed: {plain(error)}"
        line = f"Closing server '{self.server}': {cause}"
        return ConversationError(line, server=self.server, phase="closing", cause=cause)


def ended(code: int) -> str:
    """Say how a process ended that has this exit code."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def plain(error: BaseException) -> str:
    """Return one line for an exception; for a group, of the first one in it and how many there are (P2)."""
    first, *others = leaves(error)
    text = " ".join(str(first).split())
    line = f"{type(first).__name__}: {text}" if text else type(first).__name__
    return f"{line} (and {len(others)} more)" if others else line


def leaves(error: BaseException) -> list[BaseException]:
    """Return the exceptions that a group is made of, at any depth; an exception that is no group is its own leaf."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]


def _explained(error: ErrorT, remains: Remains) -> ErrorT:
    """Attach what does not go into one line: it is shown with the traceback."""
    error.exit_code, error.stderr_tail = remains.exit_code, remains.stderr
    error.__cause__ = remains.error
    if "\n" in remains.stderr.strip():
        error.add_note(f"The end of the server's stderr:\n{remains.stderr.rstrip()}")
    return error
