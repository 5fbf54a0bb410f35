"""Where the client's commands write: results on stdout, everything else on stderr.

Below: `screen`.
"""

from __future__ import annotations

import json
import shutil
import sys
from io import TextIOWrapper
from typing import Final

from mcport.spec.types import LoggingMessageNotificationParams
from mcport.transports.printable import printable_line

from .screen import Screen

_PIPE_WIDTH: Final = 160


class Plain:
    """The two streams of one command."""

    def __init__(self) -> None:
        self.notes = Screen(sys.stderr)
        if isinstance(sys.stdout, TextIOWrapper):
            # A terminal that cannot show a character gets its escape.
            sys.stdout.reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """How many columns a line may have."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH

    def lines(self, *lines: str) -> None:
        """Write lines of a result; whoever made them has made them harmless."""
        for line in lines:
            print(line)

    def document(self, value: object) -> None:
        """Write one JSON document; it is plain ASCII, so nothing in it can do harm."""
        print(json.dumps(value, indent=2))

    def record(self, value: object) -> None:
        """Write one line at once: a text as it is, anything else as a JSON document."""
        print(value if isinstance(value, str) else json.dumps(value), flush=True)

    def note(self, text: str) -> None:
        """Tell the person what is going on."""
        print(text, file=sys.stderr, flush=True)

    def failure(self, text: str) -> None:
        """Write what a tool says of its failure."""
        print(text, file=sys.stderr)

    def message(self, logged: LoggingMessageNotificationParams) -> None:
        """Show a log message of the server."""
        said = logged.data if isinstance(logged.data, str) else json.dumps(logged.data)
        who = f" {logged.logger}" if logged.logger else ""
        print(printable_line(f"[{logged.level}{who}] {said}"), file=sys.stderr)

    def server_line(self, line: str) -> None:
        """Show a line that the server wrote to its stderr."""
        print(f"!! {printable_line(line)}", file=sys.stderr)
