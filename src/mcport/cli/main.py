"""The command: what was said is done, what goes wrong is one line. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mcport.errors import McportError

from .exits import DONE, FAILED, INTERRUPTED, exit_code
from .parser import parse


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (`exits`)."""
    commands = {"run": _run, "demo": _demo, "examples": _examples, "talk": _talk}
    options = parse(sys.argv[1:] if argv is None else argv, commands)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except McportError as error:
        return _complain(error)
    return code


def _complain(error: McportError) -> int:
    from mcport.transports.printable import printable_line

    print(f"mcport: {printable_line(str(error), longest=2000)}", file=sys.stderr)
    return exit_code(error)


def _run(options: argparse.Namespace) -> int:
    from .loading import load_server, program_of
    from .usage import UsageError

    program = program_of(options.file)
    if program is not None:
        import runpy

        sys.argv = [str(program), *options.rest]
        runpy.run_path(str(program), run_name="__main__")
    elif options.rest:
        raise UsageError(f"too many words: {' '.join(options.rest)!r:.80}; only an example that is a program takes any")
    else:
        load_server(options.file).run()
    return DONE


def _demo(options: argparse.Namespace) -> int:
    from .demo import demo

    demo(revision=options.revision, wire=options.wire)
    return DONE


def _examples(options: argparse.Namespace) -> int:
    from .loading import examples

    for name, summary in examples():
        print(f"{name.ljust(14)} {summary}")
    print("\nmcport run example:NAME serves one; mcport list example:NAME shows what it offers")
    return DONE


def _talk(options: argparse.Namespace) -> int:
    from .conversation import converse

    return converse(options)
