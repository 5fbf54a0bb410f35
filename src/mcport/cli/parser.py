"""What can be said on the command line. It knows the words and loads nothing that they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mcport.version import __version__

from .exits import EXPLAINED

Command = Callable[[argparse.Namespace], int]

TALKING: Final = {
    "list": (
        "[tools|resources|templates|prompts ...]",
        "show what a server offers",
    ),
    "call": ("TOOL [NAME=VALUE | NAME:=JSON | JSON | @FILE | - ...]", "call a tool and show its result"),
    "read": ("URI", "read a resource"),
    "prompt": ("NAME [NAME=VALUE ...]", "get a prompt, its arguments filled in"),
    "listen": ("[tools|prompts|resources|URI ...]", "show what changes at a server, until Ctrl-C"),
    "complete": ("PROMPT|TEMPLATE ARGUMENT=BEGINNING [NAME=VALUE ...]", "suggest values for an argument"),
}
"""The commands that talk to a server: what stands behind the target, and what they do."""

AUTHORIZING: Final = {
    "login": "log in to a server by the browser, and stay logged in",
    "status": "show who is logged in to a server",
    "logout": "forget the login to a server",
    "cimd": "print the metadata document of a client that is published at a URL",
}
"""What the command auth does."""

_TARGET: Final = (
    "TARGET is a Python script, example:NAME, or FILE.json#NAME for an entry of an mcpServers file;"
    " without it, the server is the command behind -- or the one of --config and --server."
)


_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_JSON: Final = "write one JSON document, as on the wire"
_JSON_LINES: Final = "write one JSON document a line"


def parse(argv: Sequence[str], commands: Mapping[str, Command]) -> argparse.Namespace:
    """Return what was said; ends the process with the usage and code 2 where that makes no sense."""
    parser, children = _parser(commands)
    words, behind = _split(argv)
    options, rest = parser.parse_known_args(words)
    strange = [word for word in rest if word.startswith("-") and word != "-"] if hasattr(options, "words") else rest
    if strange:
        children.get(options.name, parser).error(f"unrecognized arguments: {' '.join(strange)}")
    if hasattr(options, "words"):
        # Words that stood behind an option: argparse takes those in one place only.
        options.words += rest
        options.behind = behind
    return options


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what stands before and behind `--`, for the commands that give it a meaning."""
    if "--" not in argv or argv[0] not in TALKING:
        return [*argv], []
    place = [*argv].index("--")
    return [*argv[:place]], [*argv[place + 1 :]]


def _parser(commands: Mapping[str, Command]) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(prog="mcport", description="The Model Context Protocol: run, try and use servers.")
    parser.add_argument("--version", action="version", version=f"mcport {__version__}")
    choices = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")
    children: dict[str, argparse.ArgumentParser] = {}

    run = children["run"] = choices.add_parser(
        "run", help="serve a server from a Python file over stdio or HTTP", parents=[_serving()]
    )
    run.add_argument(
        "file", metavar="FILE[:NAME]", help="a Python file, and the name of the server in it; or example:NAME"
    )
    run.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="arguments of an example that is a program")
    demo = children["demo"] = choices.add_parser(
        "demo", help="start the bundled example and show a conversation with it"
    )
    demo.add_argument("--revision", metavar="R", help="speak this protocol revision (default: find out)")
    demo.add_argument("--wire", action="store_true", help="show every message as it was on the wire")
    demo.add_argument("--auth", action="store_true", help="show how a client gets into a server that wants tokens")
    children["examples"] = choices.add_parser("examples", help="list the bundled examples")
    for name, (behind, does) in TALKING.items():
        child = children[name] = choices.add_parser(
            name,
            help=does,
            usage=f"mcport {name} [options] TARGET {behind}\n       mcport {name} [options] {behind} -- COMMAND ...",
            description=f"{does[0].upper()}{does[1:]}. {_TARGET}",
            epilog=EXPLAINED,
        )
        _talking(child, name)
    children["auth"] = _authorizing(choices)
    for name, child in children.items():
        child.set_defaults(command=commands.get(name, commands["talk"]))
    return parser, children


def behind_file(options: argparse.Namespace) -> None:
    """Take in the options that stand behind FILE; what is none of them is left in `rest`."""
    _, options.rest = _serving().parse_known_args(options.rest, options)


def _serving() -> argparse.ArgumentParser:
    serving = argparse.ArgumentParser(prog="mcport run", add_help=False, allow_abbrev=False)
    http = serving.add_argument_group("over HTTP")
    http.add_argument("--http", action="store_true", help="serve over HTTP instead of stdio")
    http.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s)")
    http.add_argument("--port", default=8000, type=int, help="its port, 0 for any (default: %(default)s)")
    http.add_argument("--path", default="/mcp", help="the path of the endpoint (default: %(default)s)")
    http.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="a name that the server may be asked for by"
    )
    http.add_argument("--reload", action="store_true", help="serve anew when a Python file beside or below changes")
    http.add_argument("--sockets", help=argparse.SUPPRESS)
    return serving


def _authorizing(choices: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    auth = choices.add_parser("auth", help="log in to a server at a URL, and out of it", epilog=EXPLAINED)
    actions = auth.add_subparsers(required=True, metavar="ACTION", dest="action")
    for name, does in AUTHORIZING.items():
        child = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
        child.add_argument("url", metavar="URL", help="where the server is, or the document is to be (cimd)")
        if name == "login":
            child.add_argument(
                "--scope", action="append", metavar="SCOPE", help="ask for this as well; may be repeated"
            )
            child.add_argument(
                "--client-id", metavar="ID", help="the id under which the authorization server knows you"
            )
        if name == "cimd":
            child.add_argument("--client-name", metavar="NAME", default="mcport", help="(default: %(default)s)")
            child.add_argument("--redirect-uri", metavar="URI", action="append", help="where browsers come back")
    return auth


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a number from 1 on is wanted, got {text!r:.40}")
    return number


def _talking(child: argparse.ArgumentParser, name: str) -> None:
    child.add_argument("words", nargs="*", metavar="TARGET ...", help=argparse.SUPPRESS)
    child.add_argument("--json", action="store_true", help=_JSON_LINES if name == "listen" else _JSON)
    child.add_argument("--config", metavar="FILE", help="an mcpServers file")
    child.add_argument("--server", metavar="NAME", help="the entry of that file (default: the only one)")
    child.add_argument("--revision", metavar="R", help="speak this protocol revision (default: find out)")
    child.add_argument("--timeout", metavar="S", type=float, help="seconds that the server may be silent")
    child.add_argument(
        "--auth", choices=["oauth"], help="log in to a server at a URL by the browser, where it wants that"
    )
    child.add_argument("--env", metavar="NAME=VALUE", action="append", default=[], help="a variable for the server")
    child.add_argument(
        "-H", "--header", metavar="'NAME: VALUE'", action="append", default=[], help="a header for a server at a URL"
    )
    child.add_argument("--log", metavar="LEVEL", choices=_LEVELS, help="show the server's log from this level on")
    child.add_argument("--trace", action="store_true", help="show every message, and the server's stderr, on stderr")
    if name == "read":
        child.add_argument("--output", metavar="FILE", help="write what was read into a file, exactly")
    if name == "listen":
        child.add_argument("--count", metavar="N", type=_count, help="end after so many changes")
    child.set_defaults(does=name, behind=[])
