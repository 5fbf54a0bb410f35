"""The command that starts a server: a list of arguments, checked, and the program it names, found.

No shell ever sees it, no string is split, and the current directory is not searched. Knows what can be wrong with a
command and says it in one line; knows nothing of running processes. Below it sit printable text and the errors.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mcport.errors import ConnectFailed
from mcport.transports.printable import printable_line

PHASE: Final = "starting"

# Nobody reads more of an argument, nor of their list, and a command may be megabytes long.
_LINE_PARTS: Final = 500

_DEFAULT_PATHEXT: Final = ".COM;.EXE;.BAT;.CMD"

# cmd.exe parses the line of a batch file once more, so these would act there; inside quotes, which a blank brings
# about, parentheses are only text.
_ACTS_IN_BATCH: Final = frozenset('"%!&|<>^\r\n')
_ACTS_UNQUOTED: Final = frozenset("()")

_REASONS: Final = {
    errno.ENOENT: "the interpreter that its first line names was not found",
    errno.EACCES: "permission denied",
    errno.ENOEXEC: "not a program that this system can run",
    errno.E2BIG: "the arguments and the environment are too long",
    errno.EMFILE: "too many open files in this process",
    errno.ENFILE: "too many open files on this system",
    errno.EAGAIN: "too many processes",
    errno.ENOMEM: "out of memory",
}


@dataclass(frozen=True, slots=True)
class Command:
    """The arguments of a server's process, the first of which names the program."""

    argv: tuple[str, ...]

    @classmethod
    def of(cls, argv: Sequence[str | os.PathLike[str]] | os.PathLike[str]) -> Command:
        """Check `argv` and return it as a command.

        Raises `TypeError` for a single string, for bytes and for arguments that are no text, `ValueError` for an
        empty list, an empty program name and NUL characters.
        """
        if isinstance(argv, str | bytes | os.PathLike):
            hint = f": {printable_line(argv).split()!r}" if isinstance(argv, str) else ""
            raise TypeError(f"A server's command is a list of arguments, not one string{hint}")
        parts = tuple(_argument(index, part) for index, part in enumerate(argv))
        if not parts or not parts[0]:
            raise ValueError("A server's command needs at least the name of a program")
        return cls(parts)

    @property
    def line(self) -> str:
        """The command as one harmless line, to be read and not to be run."""
        return printable_line(shlex.join(part[:_LINE_PARTS] for part in self.argv[:_LINE_PARTS]))

    def failed(self, cause: str) -> ConnectFailed:
        """The error that says why this command cannot be started."""
        return ConnectFailed(f"Cannot start server '{self.line}': {cause}", server=self.line, phase=PHASE, cause=cause)

    def program(self, env: Mapping[str, str], cwd: str | None) -> str:
        """Find the program's file, or raise `ConnectFailed`.

        A bare name is searched in the `PATH` of `env` and nowhere else; a name with a directory part is taken from
        `cwd` on, or from the current directory.
        """
        self._check_directory(cwd)
        name = self.argv[0]
        path = self._at(os.path.join(cwd or os.getcwd(), name), env) if _has_directory(name) else self._on_path(env)
        if sys.platform == "win32" and is_batch_file(path) and (bad := unsafe_for_batch((path, *self.argv[1:]))):
            raise self.failed(f"{printable_line(bad)!r} is not safe as an argument of a batch file")
        return path

    def explain(self, error: OSError, cwd: str | None) -> ConnectFailed:
        """Turn what the operating system said on the start into one line."""
        reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
        if cwd is not None and error.filename == cwd:
            return self.failed(f"the working directory {printable_line(cwd)!r} cannot be entered: {reason}")
        return self.failed(self._about_program(reason))

    def _check_directory(self, cwd: str | None) -> None:
        if cwd is None or os.path.isdir(cwd):
            return
        fault = "is not a directory" if os.path.exists(cwd) else "does not exist"
        raise self.failed(f"the working directory {printable_line(cwd)!r} {fault}")

    def _at(self, path: str, env: Mapping[str, str]) -> str:
        for candidate in _spellings(path, env):
            if os.path.isfile(candidate):
                if os.access(candidate, os.X_OK):
                    return candidate
                raise self.failed(self._about_program("permission denied (the file is not executable)"))
        raise self.failed(self._about_program("is a directory" if os.path.isdir(path) else "no such file"))

    def _on_path(self, env: Mapping[str, str]) -> str:
        denied = False
        for folder in _folders(env):
            for candidate in _spellings(os.path.join(folder, self.argv[0]), env):
                if os.path.isfile(candidate):
                    if os.access(candidate, os.X_OK):
                        return candidate
                    denied = True
        reason = "permission denied (the file on PATH is not executable)" if denied else "not found on PATH"
        raise self.failed(self._about_program(reason))

    def _about_program(self, reason: str) -> str:
        """Name the program where the line names more than it."""
        return reason if len(self.argv) == 1 else f"{printable_line(self.argv[0])!r}: {reason}"


def _argument(index: int, part: object) -> str:
    text = os.fspath(part) if isinstance(part, os.PathLike) else part
    if not isinstance(text, str):
        raise TypeError(f"Argument {index} of a server's command must be a string, got {type(part).__name__}")
    if "\0" in text:
        raise ValueError(f"Argument {index} of a server's command contains a NUL character")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError(f"Argument {index} of a server's command contains a lone surrogate") from None
    return text


def _has_directory(name: str) -> bool:
    return bool(os.path.dirname(name)) or name in (os.curdir, os.pardir)


def _folders(env: Mapping[str, str]) -> Iterator[str]:
    """The absolute entries of PATH; an empty or relative one would be the current directory in disguise."""
    path = _variable(env, "PATH")
    entries = (os.defpath if path is None else path).split(os.pathsep)
    return (entry for entry in entries if os.path.isabs(entry))


def _variable(env: Mapping[str, str], name: str) -> str | None:
    if sys.platform != "win32":
        found = env.get(name)
    else:
        found = next((value for known, value in env.items() if known.upper() == name), None)
    return found


def _spellings(path: str, env: Mapping[str, str]) -> list[str]:
    if sys.platform != "win32":
        spellings = [path]
    else:
        spellings = windows_spellings(path, _variable(env, "PATHEXT") or _DEFAULT_PATHEXT)
    return spellings


def windows_spellings(path: str, pathext: str = _DEFAULT_PATHEXT) -> list[str]:
    """The file names that `path` may mean on Windows: as it stands if it ends in an extension that can be run.

    Only then: Node, for one, installs a shell script `npx` beside `npx.cmd`.
    """
    extensions = [extension for extension in pathext.lower().split(";") if extension]
    as_it_stands = [path] if path.lower().endswith(tuple(extensions)) else []
    return as_it_stands + [path + extension for extension in extensions]


def is_batch_file(path: str) -> bool:
    """Whether Windows hands this file to cmd.exe (it ignores dots and blanks at the end of a name)."""
    return path.rstrip(". ").lower().endswith((".bat", ".cmd"))


def unsafe_for_batch(arguments: Sequence[str]) -> str | None:
    """Return the first argument that cmd.exe would take for more than text, or `None`."""
    for argument in arguments:
        quoted = " " in argument or "\t" in argument
        acting = _ACTS_IN_BATCH if quoted else _ACTS_IN_BATCH | _ACTS_UNQUOTED
        if acting.intersection(argument):
            return argument
    return None
