"""The environment that a child process gets: little by default, and what its user names.

A server that somebody else wrote has no business with the tokens that lie about in its host's environment, so only a
short list of names is passed on. Knows nothing of processes; only the standard library sits below.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

POSIX_NAMES: Final = frozenset(
    {"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"},
)
WINDOWS_NAMES: Final = frozenset(
    {
        "APPDATA",
        "COMMONPROGRAMFILES",
        "COMMONPROGRAMFILES(X86)",
        "COMMONPROGRAMW6432",
        "COMSPEC",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "NUMBER_OF_PROCESSORS",
        "OS",
        "PATH",
        "PATHEXT",
        "PROCESSOR_ARCHITECTURE",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PROGRAMW6432",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "USERNAME",
        "USERPROFILE",
        "WINDIR",
    },
)


def child_environment(
    given: Mapping[str, str] | None = None,
    *,
    inherit_env: bool = False,
    own: Mapping[str, str] | None = None,
    windows: bool = sys.platform == "win32",
) -> dict[str, str]:
    """Return the variables for a child: the harmless ones of this process, then `given` on top.

    With `inherit_env` everything of this process is passed on. Inherited values that begin with `()` are dropped
    either way, since old shells run them as functions; a value in `given` is its author's word and stays. `own` is
    this process's environment unless said otherwise. On Windows names match in any case, and Python children write
    UTF-8 to their pipes unless they are told otherwise.

    Raises `TypeError` or `ValueError`, with the name and never the value, for what no process could be given.
    """
    source = os.environ if own is None else own
    env = {
        name: value
        for name, value in source.items()
        if (inherit_env or _is_passed_on(name, windows)) and not value.startswith("()")
    }
    if windows and not _twins(env, "PYTHONIOENCODING"):
        env["PYTHONIOENCODING"] = "utf-8"
    for name, value in (given or {}).items():
        _check(name, value)
        for twin in _twins(env, name) if windows else ():
            del env[twin]
        env[name] = value
    return env


def _is_passed_on(name: str, windows: bool) -> bool:
    if windows:
        return name.upper() in WINDOWS_NAMES
    return name in POSIX_NAMES or name.startswith("LC_")


def _twins(env: Mapping[str, str], name: str) -> list[str]:
    """The names in `env` that Windows takes for `name`."""
    return [known for known in env if known.upper() == name.upper()]


def _check(name: object, value: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"env: a variable's name must be a string, got {type(name).__name__}")
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"env: {name!r} cannot be the name of a variable")
    if not isinstance(value, str):
        raise TypeError(f"env: the value of {name!r} must be a string, got {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"env: the value of {name!r} contains a NUL character")
    try:
        os.fsencode(name + value)
    except UnicodeEncodeError:
        raise ValueError(f"env: {name!r} or its value contains a lone surrogate") from None
