"""The command: what was said is done, what goes wrong is one line. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from mcport.errors import McportError

from .exits import DONE, FAILED, INTERRUPTED
from .parser import behind_file, parse
from .streams import give_up_writing, have_streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (`exits`)."""
    try:
        have_streams()
        code = _obey(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        give_up_writing(error)
        return FAILED
    return code


def _obey(argv: Sequence[str]) -> int:
    options = parse(argv, {"run": _run, "demo": _demo, "examples": _examples, "auth": _auth, "talk": _talk})
    try:
        code: int = options.command(options)
    except McportError as error:
        from .complaints import complain

        return complain(error, getattr(options, "json", False), options.name == "listen")
    return code


def _run(options: argparse.Namespace) -> int:
    from .loading import load_server, program_of
    from .usage import UsageError

    program = program_of(options.file)
    if program is not None:
        import runpy

        sys.argv = [str(program), *options.rest]
        runpy.run_path(str(program), run_name="__main__")
        return DONE
    behind_file(options)
    if options.rest:
        raise UsageError(f"too many words: {' '.join(options.rest)!r:.80}; only an example that is a program takes any")
    if options.http:
        from .serving import serve

        return serve(options)
    load_server(options.file).run()
    return DONE


def _demo(options: argparse.Namespace) -> int:
    if options.auth:
        from .authorized_demo import demo
    else:
        from .demo import demo
    demo(revision=options.revision, wire=options.wire)
    return DONE


def _examples(options: argparse.Namespace) -> int:
    from .loading import examples

    for name, summary in examples():
        print(f"{name.ljust(14)} {summary}")
    print("\nmcport run example:NAME serves one; mcport list example:NAME shows what it offers")
    return DONE


def _auth(options: argparse.Namespace) -> int:
    from .logging_in import authorize

    return authorize(options)


def _talk(options: argparse.Namespace) -> int:
    from .conversation import converse

    return converse(options)
