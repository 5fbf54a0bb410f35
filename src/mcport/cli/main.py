"""Reading the command line. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mcport.errors import McportError
from mcport.version import __version__

from .usage import UsageError

FAILED = 1
WRONGLY_CALLED = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 it failed, 2 it was called wrongly, 130 after Ctrl-C."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        return _complain(error, WRONGLY_CALLED)
    except McportError as error:
        return _complain(error, FAILED)
    return code


def _complain(error: Exception, code: int) -> int:
    print(f"mcport: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mcport", description="The Model Context Protocol: run and try servers.")
    parser.add_argument("--version", action="version", version=f"mcport {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="serve a server from a Python file over stdio")
    run.add_argument(
        "file", metavar="FILE[:NAME]", help="a Python file, and the name of the server in it; or example:NAME"
    )
    run.set_defaults(command=_run)

    demo = commands.add_parser("demo", help="start the bundled example and show a conversation with it")
    demo.add_argument("--revision", metavar="R", help="speak this protocol revision (default: find out)")
    demo.add_argument("--wire", action="store_true", help="show every message as it was on the wire")
    demo.set_defaults(command=_demo)
    return parser


def _run(options: argparse.Namespace) -> int:
    from .loading import load_server

    load_server(options.file).run()
    return 0


def _demo(options: argparse.Namespace) -> int:
    from .demo import demo

    demo(revision=options.revision, wire=options.wire)
    return 0
