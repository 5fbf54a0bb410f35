"""An error that ends a command: one harmless line for people, with `--json` also a document for programs.

A login that failed shows the way there as well, a line a step.

Below: the errors, `exits`, `transports.printable`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mcport.errors import AuthFailed, McportError, RemoteError
from mcport.transports.printable import printable_line

from .exits import exit_code

_LONGEST = 2000


def complain(error: McportError, as_json: bool = False, one_line: bool = False) -> int:
    """Say what went wrong and return the exit code."""
    line, *steps = (str(error.args[0]), *error.steps) if isinstance(error, AuthFailed) else (str(error),)
    print(f"mcport: {printable_line(line, longest=_LONGEST)}", file=sys.stderr)
    for step in steps:
        print(f"  {printable_line(step, longest=_LONGEST)}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": _told(error)}, indent=None if one_line else 2))
    return exit_code(error)


def _told(error: McportError) -> dict[str, Any]:
    """Return an error of the server as it was on the wire, and any other one by its line."""
    if not isinstance(error, RemoteError):
        return {"message": str(error)}
    data = {} if error.data is None else {"data": error.data}
    return {"code": error.code, "message": error.message, **data}
