"""Reading the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import McportError
from .usage import UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 it failed, 2 it was called wrongly."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.command(options)
    except McportError as error:
        print(f"mcport: {error}", file=sys.stderr)
        return 1
    except UsageError as error:
        print(f"mcport: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mcport", description="The Model Context Protocol: run and try servers.")
    parser.add_argument("--version", action="version", version=f"mcport {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="serve a server from a Python file over stdio")
    run.add_argument("file", metavar="FILE[:NAME]", help="a Python file, and the name of the server in it; or example:NAME")
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

    return demo(revision=options.revision, wire=options.wire)
