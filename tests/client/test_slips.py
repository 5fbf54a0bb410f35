"""What a host says wrongly to a client is refused where it was said, in one line that names it."""

from __future__ import annotations

from typing import Any

import pytest

import mcport.sync
from mcport import Client, Server

OPTIONS: list[tuple[str, Any, str]] = [
    ("log", "x", "log is a function, not str"),
    ("progress", 3, "progress is a function, not int"),
    ("changed", 3, "changed is a function, not int"),
    ("trace", "x", "trace is a function, not str"),
    ("stderr", 3, "stderr is a function, not int"),
    ("spawn_policy", 3, "spawn_policy is a function, not int"),
    ("elicit", "x", "elicit is a function, got 'x'"),
    ("elicit_url", 3, "elicit_url is a function, got 3"),
    ("sample", "x", "sample is a function, got 'x'"),
    ("approve", 3, "approve is a function, got 3"),
    ("roots", 5, "roots is a list of paths, file:// URIs or Root objects, or a function, not int"),
    ("roots", [5], "a root is a path, a file:// URI or a Root; got 5"),
    ("info", "x", "info is an object such as Implementation(name='my-host', version='1.0'), not str"),
    ("info", {"name": "x"}, "info is an object such as Implementation(name='my-host', version='1.0'), not dict"),
    ("cache", "x", "cache is True, False or a ResultCache, not str"),
    ("cache", 3, "cache is True, False or a ResultCache, not int"),
    ("timeout", "x", "timeout is a positive number of seconds, or None for no limit; got str"),
    ("timeout", True, "timeout is a positive number of seconds, or None for no limit; got bool"),
    ("total_timeout", -1, "total_timeout is a positive number of seconds, or None for no limit; got -1"),
    ("connect_timeout", "x", "connect_timeout is a positive number of seconds, or None for no limit; got str"),
    ("probe_timeout", 0, "probe_timeout is a positive number of seconds, or None for no limit; got 0"),
    ("restart", "x", "restart is True, False or how many times in a row, not str"),
    ("restart", -1, "restart is True, False or how many times in a row, not -1"),
    ("rounds", -1, "rounds is how often a server may ask in one call, at least 1; got -1"),
    ("check_output", "x", "check_output is True, False or 'always', not 'x'"),
    ("limits", "x", "limits is Limits, such as Limits(list_pages=10), not str"),
    ("extensions", 3, "extensions is a list, not int"),
    ("extensions", [3], "extensions are objects such as ClientExtension('com.example/name'), not int"),
    ("revision", [], "revision: unknown protocol revision []; known: "),
    ("env", 3, "env is a dict of strings, not int"),
    ("env", {"TOKEN": b"secret"}, "env['TOKEN'] is a string, not bytes"),
    ("cwd", 3, "cwd is a path, not int"),
    ("inherit_env", "x", "inherit_env is True or False, not str"),
]


@pytest.mark.parametrize("client", [Client, mcport.sync.Client])
@pytest.mark.parametrize(("option", "value", "line"), OPTIONS)
def test_a_wrong_option_of_a_client_is_told_in_one_line(client: Any, option: str, value: Any, line: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        client("server.py", **{option: value})
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("option", sorted(Client.__init__.__kwdefaults__ or ()))
def test_no_option_of_a_client_takes_just_anything(option: str) -> None:
    anything: Any = {option: object()}
    with pytest.raises((TypeError, ValueError)) as caught:
        Client("server.py", **anything)
    assert str(caught.value).startswith(option)
    assert "\n" not in str(caught.value)


def test_a_class_is_no_target() -> None:
    with pytest.raises(TypeError, match=r"^a client connects to an object: make one, Server\(\.\.\.\)$"):
        Client(Server)


async def test_a_time_of_one_call_is_named_too() -> None:
    async with Client(Server("x")) as client:
        with pytest.raises(TypeError, match=r"^timeout is a positive number of seconds, or None for no limit; got str"):
            await client.ping(timeout="x")  # type: ignore[arg-type]
